"""Names of the values that a loop computes, read from the source of the code that draws or explains them.

After twelve turns of ``balance = balance * (1 + rate) - payment``, the variable holds the last of twelve nodes. The
other eleven have no names, but the source says where they are: the first input of the subtraction is a product, and the
first input of that product is the balance of the turn before.

- `variable_names` names what variables, lists and objects hold now.
- `callers` finds the code that asked for a picture, and reads its source as syntax.
- `loops` runs one turn of each loop on syntax: what every variable is at its end, in terms of the variables before it.
- `matching` compares such an expression with a node, and tells which nodes its variables must have held.
- `steps` starts at the nodes that the variables hold now, goes back turn by turn, and numbers what it finds.

Why a number can be trusted:

1. A turn counts only if it fits as a whole: every operation of the expression is that of the node, in the same order,
   down to the variables. A variable that the loop assigns must be one and the same node wherever it occurs; this is the
   node to be explained by the turn before. Any other variable must hold the very node that was used.
2. The number of the last turn is known from ``range(n)`` or the length of a list, unless a break, a continue, a branch,
   or a change of the ``n`` or the list makes it uncertain. Then the turns must lead back to leaves, and no line before
   the loop may have computed the variable: a product in front of ``while …: x = x * x`` looks like a turn.
3. What does not fit ends the search. The nodes beyond keep the labels that they have without this room.

So names can be missing, but a wrong one takes something that the source does not show: a file edited since it was run,
or a list that another function made longer. The test of random loops in ``tests/naming`` keeps every value that the
variables held and compares the names with them.
"""
