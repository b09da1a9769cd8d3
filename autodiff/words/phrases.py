"""Every sentence and term that readers see, in English and in Chinese.

Other modules name a row of this table and fill in its fields; they contain no sentences for readers. Error messages
are not in the table: they address programmers and are in English only.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Final, NamedTuple

__all__ = ["LANGUAGES", "PHRASES", "Phrase", "checked_language", "fields_of", "say"]

LANGUAGES: Final = ("en", "zh")


class Phrase(NamedTuple):
    """One text in each language; ``{names}`` in braces are fields, the same in both."""

    en: str
    zh: str


def say(key: str, language: str = "en", /, **fields: object) -> str:
    """The phrase with that key in that language, with its fields filled in.

    Raises:
        ValueError: if the language is not supported. KeyError: if the key is unknown or a field is missing.

    >>> say("step.forwarded", factor="a₄⁽¹⁾ = 0.8", parameter="W₁₄⁽¹⁾")
    '× a₄⁽¹⁾ = 0.8, the signal that W₁₄⁽¹⁾ forwarded.'
    >>> say("step.factor", "zh", factor="2")
    '× 2。'
    """
    return PHRASES[key][LANGUAGES.index(checked_language(language))].format_map(fields)


def checked_language(language: str) -> str:
    """``language``, if the table has it.

    Raises:
        ValueError: if the language is not supported.

    >>> checked_language("zh")
    'zh'
    """
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r} (must be one of {', '.join(LANGUAGES)})")
    return language


def fields_of(text: str) -> frozenset[str]:
    """The names of the fields in a template.

    >>> sorted(fields_of("{node} of {count}"))
    ['count', 'node']
    """
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


# The terms of the Chinese column, as textbooks on neural networks have them; each stands for one thing throughout.
#
#   error 误差 · error signal 误差信号 · seed 初始误差 · error sharing 误差分享 · share 份额 · what is left 剩余误差
#   to shrink 衰减 · forward 前向 · backward 反向 · backpropagation 反向传播 · local gradient 局部梯度 · path 路径
#   unit 神经元 · weight 权重 · bias 偏置 · activation 激活值 · weighted sum 加权和 · objective 目标函数 · margin 间隔
#   window 窗口, true 真实, corrupt 损坏 · score 得分 · entry 元素, the same of another matrix 对应元素 · kink 不可导点
#   gradient check 梯度检验 · differences 有限差分 · explicit differentiation 显式求导 · value, number 数值

PHRASES: Final[Mapping[str, Phrase]] = {key: Phrase(*texts) for key, texts in {
    # ---- terms -------------------------------------------------------------------------------------------------------
    "term.error": ("error", "误差"),
    "term.error-sum": ("error = Σ", "误差 = Σ"),
    "term.error-at": ("error at {node}", "{node} 处的误差"),
    "term.error-signal": ("error signal", "误差信号"),
    "term.local-gradient": ("local gradient", "局部梯度"),
    "term.share": ("share", "份额"),
    "term.seed": ("seed", "初始误差"),
    "term.gradient": ("gradient", "梯度"),
    "term.value": ("value", "数值"),
    "term.parameter": ("parameter", "参数"),
    "term.weight": ("weight", "权重"),
    "term.bias": ("bias", "偏置"),
    "term.unit": ("unit", "神经元"),
    "term.layer": ("layer {layer}", "第 {layer} 层"),
    "term.layer-of-inputs": ("layer {layer}, the input layer", "第 {layer} 层（输入层）"),
    "term.between-layers": ("layer {layer} → {next}", "第 {layer} 层 → 第 {next} 层"),
    "term.time-step": ("time step {step}", "时间步 {step}"),
    "term.input-layer": ("input layer", "输入层"),
    "term.hidden-layer": ("hidden layer", "隐藏层"),
    "term.output-layer": ("output layer", "输出层"),
    "term.shape": ("shape", "形状"),
    "term.product": ("product", "乘积"),
    "term.constant": ("constant", "常数"),
    "term.norm": ("{shape}, norm {norm}", "{shape}，范数 {norm}"),
    "term.vector": ("a vector of {shape} entries and norm {norm}", "{shape} 维向量，范数为 {norm}"),
    "term.matrix": ("a {shape} matrix of norm {norm}", "{shape} 矩阵，范数为 {norm}"),
    "term.array": ("a {shape} array of norm {norm}", "{shape} 数组，范数为 {norm}"),
    "term.extent": ("min {least}, mean {mean}, max {most}", "最小 {least}，均值 {mean}，最大 {most}"),
    "term.about": ("about {number}", "约 {number}"),
    "term.true-window": ("true window", "真实窗口"),
    "term.corrupt-window": ("corrupt window", "损坏窗口"),
    "term.pair": ("{first}, {second}", "{first}，{second}"),
    "term.told": ("{name}: {text}", "{name}：{text}"),
    "term.hint": ("{node}: {value}; {error}: {number}", "{node}：{value}；{error}：{number}"),
    "term.at-line": ("{told}; line {number}: {text}", "{told}；第 {number} 行：{text}"),
    "term.in-brackets": (" ({text})", "（{text}）"),
    "term.no-path": ("no path", "无路径"),
    "term.not-yet": ("not yet", "尚未到达"),
    "term.more": ("{count} more", "另有 {count} 个"),
    "term.more-factors": ("… ({count} more) …", "…（另有 {count} 个）…"),
    "term.more-nodes": ("{count} more nodes", "另有 {count} 个节点"),
    "term.backpropagation": ("backpropagation", "反向传播"),
    "term.forward-pass": ("forward pass", "前向传播"),
    "term.error-sharing": ("error sharing", "误差分享"),
    "term.max-margin": ("max-margin objective", "最大间隔目标函数"),
    "term.score": ("score", "得分"),
    "term.corrupt-score": ("corrupt score", "损坏窗口的得分"),
    "term.margin": ("margin", "间隔"),
    "term.activation": ("activation", "激活值"),
    # ---- titles and descriptions -------------------------------------------------------------------------------------
    "title.flow": (
        "Error sharing: how the output’s error reaches {parameter}", "误差分享：输出的误差如何传到 {parameter}"),
    "title.empty": ("Error sharing: no error reaches {parameter}", "误差分享：没有误差传到 {parameter}"),
    "title.graph": ("Computation graph of {output}", "{output} 的计算图"),
    "title.whole": ("Computation graph", "计算图"),
    "title.network": ("The network and how the error reaches {parameter}", "网络及误差传到 {parameter} 的路径"),
    "title.text": ("How the error of {output} reaches {parameter}", "{output} 的误差如何传到 {parameter}"),
    # ---- numbered steps (notes, section 1.5) -------------------------------------------------------------------------
    "step.enters": ("An error signal of {seed} enters at {node}.", "误差信号 {seed} 从 {node} 处开始反向传播。"),
    "step.enters-as-one": (
        "An error signal of {seed} enters at {node}: {derivative}.",
        "误差信号 {seed} 从 {node} 处开始反向传播：{derivative}。"),
    "step.through-each": ("Each error goes through its neuron:", "各误差通过各自的神经元："),
    "step.at": ("at {node}: × {factor}", "在 {node} 处：× {factor}"),
    "step.output-unit": (
        "× {factor}, the local gradient of the output unit ({operation}).",
        "× {factor}，即输出神经元（{operation}）的局部梯度。"),
    "step.output-units": (
        "× {factor}, the local gradient of the output units ({operation}).",
        "× {factor}，即各输出神经元（{operation}）的局部梯度。"),
    "step.through-units": ("× {factor} carries it through the neurons.", "× {factor}，误差由此通过各神经元。"),
    "step.through": ("× {factor} carries it through the neuron.", "× {factor}，误差由此通过该神经元。"),
    "step.signals": ("The error signals have reached z and are shared out:", "各误差信号到达 z 处，并由此分享出去："),
    "step.signal": ("{sum} has reached {node}.", "{sum}，即 {node} 处的误差信号。"),
    "step.signal-shared": (
        "{sum} has reached {node} and is shared out.", "{sum}，即 {node} 处的误差信号，由此分享出去。"),
    "step.signal-array": ("{sum}, has reached {node}.", "{sum}，即 {node} 处的误差信号。"),
    "step.signal-shared-array": (
        "{sum}, has reached {node} and is shared out.", "{sum}，即 {node} 处的误差信号，由此分享出去。"),
    "step.each-share": ("Each node gets its share:", "各节点分得各自的份额："),
    "step.each-share-adds": (
        "Each node gets its share, and shares that meet add up:", "各节点分得各自的份额，汇合的份额相加："),
    "step.meet": ("Shares meet at {node} and add up:", "各份额在 {node} 处汇合并相加："),
    "step.share": (
        "The share of {node} is {share}, the {error}{window}.", "{node} 分得的份额为 {share}，即 {error}{window}。"),
    "step.share-array": (
        "The share of {node} is {share}: the {error}{window}.", "{node} 分得的份额为 {share}，即 {error}{window}。"),
    "step.arrive": ("Shares arrive at {parameter}:", "传到 {parameter} 的份额："),
    "step.sum": (
        "The sum passes the error on unchanged (× 1): {error} = {passed}.",
        "求和将误差原样传下去（× 1）：{error} = {passed}。"),
    "step.into-sum": ("× {factor}: the sum passes the error on unchanged.", "× {factor}：求和将误差原样传下去。"),
    "step.forwarded": (
        "× {factor}, the signal that {parameter} forwarded.", "× {factor}，即 {parameter} 在前向传播中传递的信号。"),
    "step.outer": (
        "{share}: the error signals times the signals that {parameter} forwarded, an outer product.",
        "{share}：误差信号与 {parameter} 在前向传播中传递的信号的外积。"),
    "step.multiplied": ("× {factor}, the value multiplied by {parameter}.", "× {factor}，即与 {parameter} 相乘的量。"),
    "step.bias": ("× {factor}: a bias is a weight on a constant 1.", "× {factor}：偏置是输入恒为 1 的权重。"),
    "step.factor": ("× {factor}.", "× {factor}。"),
    "step.gradient-array": ("{derivative}, the gradient, is {numbers}.", "{derivative}（即所求梯度）是 {numbers}。"),
    "step.gradient": ("{derivative} = {numbers}, the gradient.", "{derivative} = {numbers}，即所求梯度。"),
    # ---- remarks -----------------------------------------------------------------------------------------------------
    "remark.no-path": (
        "No path leads from {output} to {parameter}: no error reaches it, so it has no gradient (None, not 0).",
        "{parameter} 不在从 {output} 出发的任何路径上：没有误差传到它，因此它没有梯度（为 None，而不是 0）。"),
    "remark.hinge-kink": (
        "{node} = 0 is exactly at its kink, Δ + s_c − s = 0: by convention, no error is shared there.",
        "{node} = 0 恰好位于不可导点，Δ + s_c − s = 0：按约定，此处不分享误差。"),
    "remark.margin-met": (
        "{node} = 0: the margin is met, so no error is shared and every gradient is 0.",
        "{node} = 0：间隔已满足，因此不分享误差，所有梯度均为 0。"),
    "remark.kink": (
        "{node} is exactly at a kink of {function}: its local gradient there is a convention.",
        "{node} 恰好位于 {function} 的不可导点：该处的局部梯度按约定取值。"),
    "remark.cancel": (
        "Paths of opposite signs nearly cancel: {percentage} % of their strength remains.",
        "符号相反的路径几乎相互抵消：只剩总强度的 {percentage} %。"),
    "remark.cancel-exactly": (
        "Paths of opposite signs cancel exactly: none of their strength remains.",
        "符号相反的路径恰好完全抵消：总强度没有任何剩余。"),
    "remark.cancel-to-rounding": (
        "Paths of opposite signs cancel to within rounding: the remaining {gradient} is within the rounding "
        "error of their shares, {rounding}.",
        "符号相反的路径在舍入误差范围内相互抵消：剩下的 {gradient} 不超过各份额的舍入误差 {rounding}。"),
    # ---- where inf and nan begin -------------------------------------------------------------------------------------
    "anomaly.value": ("not finite from here on", "由此起不再有限"),
    "anomaly.explodes": ("explodes here", "此处爆炸"),
    "anomaly.overflows": ("overflows here", "此处溢出"),
    "anomaly.nan": ("nan begins here", "此处出现 nan"),
    "remark.value": (
        "The values stop being finite at {node} = {value}, computed from {inputs}.",
        "从 {node} = {value} 起，数值不再有限；它由 {inputs} 算得。"),
    "remark.value-given": (
        "The given value {node} = {value} is not a finite number.", "{node} = {value} 是给定的，不是有限数。"),
    "remark.gradient": (
        "The gradients stop being finite at {node}: {gradient}.", "从 {node} 起，梯度不再有限：{gradient}。"),
    "remark.explodes": ("The error explodes at {factor} = {number}.", "误差在 {factor} = {number} 处爆炸。"),
    "remark.explodes-in": ("The error explodes: {equation}.", "误差爆炸：{equation}。"),
    "remark.overflows-in": (
        "The error exceeds the largest float: {equation}.", "误差溢出，超过可表示的最大数：{equation}。"),
    "remark.nan-in": ("The error becomes nan: {equation}.", "误差由此起不再是数：{equation}。"),
    "remark.more-anomalies": (
        "Other places where numbers stop being finite: {count}.", "另有 {count} 处的数值也不再有限。"),
    "remark.dies": ("The error dies here: {factor} = 0.", "误差在此消失：{factor} = 0。"),
    "remark.dies-on-path": (
        "On the strongest path, the error dies: {factor} = 0.", "在最强路径上，误差在此消失：{factor} = 0。"),
    "remark.shrinks": ("{factor} = {number} shrinks the error most.", "{factor} = {number} 对误差的衰减最大。"),
    "remark.shrinks-on-path": (
        "On the strongest path, {factor} = {number} shrinks the error most.",
        "在最强路径上，{factor} = {number} 对误差的衰减最大。"),
    # ---- the text ----------------------------------------------------------------------------------------------------
    "text.more-lines": ("… {count} more lines …", "… 另有 {count} 行 …"),
    "text.more": ("… {count} more …", "… 另有 {count} 项 …"),
    "text.slopes": ("Local gradients as formulas:", "局部梯度的公式："),
    "text.shares": ("Shares that arrive at {parameter}:", "传到 {parameter} 的份额："),
    "text.share": (
        "The share that arrives at {parameter} is the gradient:", "传到 {parameter} 的份额只有一个，它就是梯度："),
    "text.sum": ("their sum = {gradient} = the gradient", "份额之和 = {gradient} = 梯度"),
    "text.sum-array": ("their sum, the gradient: {gradient}", "份额之和，即梯度：{gradient}"),
    "text.is-output": ("{parameter} is the output itself.", "{parameter} 就是输出本身。"),
    "text.paths": ("Paths: {count}; the strongest:", "共 {count} 条路径，其中最强的："),
    # ---- captions of pictures ----------------------------------------------------------------------------------------
    "caption.paths": (
        "{count} paths; the strongest{percentage}: {symbols}.",
        "共 {count} 条路径，最强的一条{percentage}：{symbols}。"),
    "caption.percentage": (" ({number} % of all, ignoring signs)", "（按绝对值计，占总和的 {number} %）"),
    "caption.strongest-only": (
        "Only the strongest of {count} paths{percentage} is shown.",
        "图中只画出 {count} 条路径中最强的一条{percentage}。"),
    "caption.along-strongest": ("{derivative} along the strongest path", "{derivative}（沿最强路径）"),
    "caption.part": ("part of the gradient", "梯度的一部分"),
    "caption.bias": ("a bias is a weight on a constant 1", "偏置是输入恒为 1 的权重"),
    "caption.steps": (
        "{count} repeated steps ({nodes} nodes) are folded into one box; {unfold} draws them all.",
        "{count} 个重复步骤（{nodes} 个节点）折叠为一个方框；{unfold} 可全部画出。"),
    "caption.folded": ("{count} nodes are folded into {boxes} boxes.", "{count} 个节点折叠为 {boxes} 个方框。"),
    "caption.units": (
        "{count} nodes are folded: units that are alike, and terms of sums; {unfold} draws them all.",
        "折叠了 {count} 个节点：相同的单元与求和的各项；{unfold} 可全部画出。"),
    # ---- the legend --------------------------------------------------------------------------------------------------
    "legend.forward": ("values, forward", "前向：数值"),
    "legend.error": ("error × local gradient, backward", "反向：误差 × 局部梯度"),
    "legend.negative": ("negative share", "份额为负"),
    "legend.zero": ("share exactly 0", "份额恰为 0"),
    "legend.parameter": ("the parameter", "所求参数"),
    "legend.rest": ("not on a path", "不在路径上"),
    "legend.mark": ("numbers stop being finite here", "由此起数值不再有限"),
    "legend.saturated": (
        "saturated: f′ is below a tenth of its largest value, so little error gets through",
        "饱和：f′ 不到其最大值的十分之一，误差几乎传不过去"),
    "legend.loses": ("loses most: the smallest factor on the strongest path", "衰减最大：最强路径上最小的因子"),
    "legend.loses-inside": (
        "loses most, inside the unit: the smallest factor on the strongest path",
        "单元内衰减最大：最强路径上最小的因子"),
    "mark.saturated": ("saturated", "饱和"),
    "mark.saturated-units": ("saturated: {units}", "饱和：{units}"),
    "mark.loses": ("{factor}, loses most", "{factor}，误差衰减最大"),
    "mark.loses-on-path": ("{factor}, loses most on the strongest path", "{factor}，在最强路径上误差衰减最大"),
    "mark.loses-all": ("{factor}, loses all", "{factor}，误差全部消失"),
    "mark.loses-all-on-path": ("{factor}, loses all on the strongest path", "{factor}，在最强路径上误差全部消失"),
    "legend.width": ("the larger the share, the wider the wire", "连线越粗，份额越大"),
    "legend.graph": (
        "each box: local gradient for each input | operation and name | value over gradient",
        "每个方框：对各输入的局部梯度 | 运算与名称 | 数值（上）与梯度（下）"),
    # ---- arrays as tiles ---------------------------------------------------------------------------------------------
    "legend.tiles-forward": ("values, full colour {most}", "数值，满色为 {most}"),
    "legend.tiles-parameter": ("parameters, full colour {most}", "参数，满色为 {most}"),
    "legend.tiles-error": ("errors, full colour {most}", "误差，满色为 {most}"),
    "legend.tiles-gradient": ("gradients of parameters, full colour {most}", "参数的梯度，满色为 {most}"),
    "legend.tiles": (
        "tiles: a bar means negative, empty means 0, and each lighter step halves the size",
        "色块：带横线为负，空白为 0，每浅一级大小减半"),
    "legend.tiles-pooled": (
        "pooled: each tile shows the entry of its block that is largest in size",
        "合并：每个色块显示其区块中绝对值最大的元素"),
    "legend.tiles-not-finite": ("nan, inf and −inf", "nan、inf 与 −inf"),
    "tiles.pooled": ("pooled to {shape}", "合并为 {shape}"),
    "tiles.stacked": ("stacked to {shape}", "堆叠为 {shape}"),
    "tiles.scale-forward": ("Values are tiles: full colour is {most} in size.", "数值画成色块：满色的大小为 {most}。"),
    "tiles.scale-parameter": (
        "Parameters are tiles: full colour is {most} in size.", "参数画成色块：满色的大小为 {most}。"),
    "tiles.scale-error": ("Errors are tiles: full colour is {most} in size.", "误差画成色块：满色的大小为 {most}。"),
    "tiles.scale-gradient": (
        "Gradients of parameters are tiles: full colour is {most} in size.",
        "参数的梯度画成色块：满色的大小为 {most}。"),
    "tiles.outer": (
        "The gradient of the parameter is drawn as a product: {left} on the left and {right} above it{sum}.",
        "参数的梯度画成乘积：左边是 {left}，上方是 {right}{sum}。"),
    "tiles.rest": ("plus {rest}", "再加 {rest}"),
    "tiles.examples": ("sum over {count} examples", "{count} 个样本之和"),
    "tiles.products": ("sum of {count} outer products", "{count} 个外积之和"),
    # ---- computation graphs ------------------------------------------------------------------------------------------
    "graph.not-yet": (
        "No gradient yet (–): backward() has not reached these nodes.", "尚无梯度（–）：backward() 尚未到达这些节点。"),
    "caption.left-out": (
        "{count} nodes that do not lead to the parameter are not shown.",
        "未画出的 {count} 个节点不在通往该参数的任何路径上。"),
    "graph.path-only": (
        "Only the {shown} nodes on a path are shown; {count} others are left out.",
        "图中只有路径上的 {shown} 个节点；另有 {count} 个节点未画出。"),
    "graph.ends": (
        "Too many nodes to read: {count} are folded into one box.",
        "节点太多，难以看清：{count} 个节点折叠为一个方框。"),
    "graph.code": ("The code; small numbers at the boxes are its lines:", "代码；方框旁的小数字是行号："),
    "graph.steps": ("{count} more steps", "另有 {count} 步"),
    "graph.terms": ("{count} more terms", "另有 {count} 项"),
    "graph.nodes": ("{count} nodes", "{count} 个节点"),
    "graph.listing": ("Boxes, starting at the output:", "各方框，从输出开始："),
    "graph.description": (
        "{boxes} boxes; inputs are on the left, the output {output} is on the right.",
        "共 {boxes} 个方框；输入在左，输出 {output} 在右。"),
    "graph.constant": ("constant {number}", "常数 {number}"),
    # ---- the numerical check -----------------------------------------------------------------------------------------
    "stamp.agrees": ("✓ {gradient} ≈ {numerical} (by finite differences)", "✓ {gradient} ≈ {numerical}（有限差分）"),
    "stamp.disagrees": ("✗ {gradient} ≠ {numerical} (by finite differences)", "✗ {gradient} ≠ {numerical}（有限差分）"),
    "stamp.unclear": ("finite differences cannot tell: {numerical}", "有限差分无法判断：{numerical}"),
    "stamp.within": (
        "{gradient} lies within {numerical} ± {error}, the accuracy of finite differences here",
        "{gradient} 在 {numerical} ± {error} 之内，有限差分在此只能确定到这一步"),
    "stamp.direction": ("{stamp}, along one direction of all entries", "{stamp}，沿全部元素的一个方向"),
    "check.line": ("Check: numerical derivative {check}: {verdict}.", "检验：数值导数为 {check}，{verdict}。"),
    "check.line-direction": (
        "Check, moving all entries along one fixed random direction: numerical derivative {check}: {verdict}.",
        "检验（所有元素沿同一随机方向移动）：数值导数为 {check}，{verdict}。"),
    "check.agrees": ("agrees", "与梯度一致"),
    "check.disagrees": ("DISAGREES", "与梯度不一致"),
    "check.within": ("agrees", "与梯度一致"),
    "check.unclear": (
        "cannot tell, because the function jumps or is undefined nearby", "无法判断：函数在此附近有跳跃或没有定义"),
    "wrote-text": ("Wrote {path}.", "已写入 {path}。"),
    "wrote": ("Wrote {path} (drawn by {engine}).", "已写入 {path}（由 {engine} 绘制）。"),
    # ---- an explanation ----------------------------------------------------------------------------------------------
    "explain.title": ("The gradient {derivative}, explained", "梯度 {derivative} 详解"),
    "explain.what": ("Overview", "基本信息"),
    "explain.parameter": ("parameter", "参数"),
    "explain.output": ("output", "输出"),
    "explain.kind": ("kind", "类别"),
    "explain.to": ("to", "去向"),
    "explain.from": ("from", "来源"),
    "explain.layers": ("layers", "层"),
    "explain.paths": ("paths", "路径数"),
    "explain.unit": ("unit {index} of layer {layer}", "第 {layer} 层的第 {index} 个神经元"),
    "explain.units": ("the {count} units of layer {layer}", "第 {layer} 层的 {count} 个神经元"),
    "explain.input-unit": (
        "unit {index} of layer {layer}, the input layer", "第 {layer} 层（输入层）的第 {index} 个神经元"),
    "explain.with": ("{unit}: {values}", "{unit}：{values}"),
    "explain.constant": ("the constant 1", "常数 1"),
    "explain.score-unit": ("the score {score}", "得分 {score}"),
    "explain.a-weight": ("a weight of layer {layer}", "第 {layer} 层的权重"),
    "explain.weights": ("the weights of layer {layer}", "第 {layer} 层的全部权重"),
    "explain.a-bias": ("a bias of layer {layer}: a weight on the constant 1", "第 {layer} 层的偏置：输入恒为 1 的权重"),
    "explain.biases": ("the biases of layer {layer}", "第 {layer} 层的全部偏置"),
    "explain.an-output-weight": (
        "an output weight of the scorer; W⁽²⁾ = Uᵀ, so it is {weight}",
        "得分函数的输出权重；W⁽²⁾ = Uᵀ，因此它就是 {weight}"),
    "explain.a-word-vector": (
        "dimension {dimension} of the vector of word {word} (counting from 1): it is learned like a weight",
        "第 {word} 个词（从 1 数起）的词向量的第 {dimension} 维：与权重一样通过学习得到"),
    "explain.a-weighted-sum": (
        "the weighted sum that enters unit {index} of layer {layer}; its error signal is δ",
        "第 {layer} 层第 {index} 个神经元的加权和；其误差信号为 δ"),
    "explain.an-activation": (
        "the activation of unit {index} of layer {layer}; the error here is not δ, which is the error at z",
        "第 {layer} 层第 {index} 个神经元的激活值；该处的误差不是 δ，δ 位于 z 处"),
    "explain.an-input": ("an input of the network", "网络的一个输入"),
    "explain.recurrent-weight": (
        "a weight shared by all time steps: the shares of the steps add up", "各时间步共享的权重：各步的份额相加"),
    "explain.a-leaf": ("a leaf of the graph", "计算图的叶节点"),
    "explain.a-result": ("a result of {operation}", "“{operation}”运算的结果"),
    "explain.forwarded-to": ("forwarded to", "前向传给"),
    "explain.objective": ("objective", "目标函数"),
    "explain.active": (
        "active, Δ + s_c − s > 0: the true window’s score gets the error −1, the corrupt one’s +1",
        "起作用，Δ + s_c − s > 0：真实窗口的得分得到误差 −1，损坏窗口的得分得到误差 +1"),
    "explain.inactive": (
        "inactive, Δ + s_c − s < 0: the margin is met", "不起作用，Δ + s_c − s < 0：间隔已满足"),
    "explain.at-kink": (
        "at its kink, Δ + s_c − s = 0: the gradient there is 0 by convention",
        "位于不可导点，Δ + s_c − s = 0：按约定，该处的梯度为 0"),
    "explain.outer": ("The gradient as an outer product", "外积形式的梯度"),
    "outer.entries": (
        "Each entry of {derivative} is an entry of {left} (left column) times an entry of {right} (top row):",
        "{derivative} 的每个元素等于 {left}（左列）的一个元素乘以 {right}（首行）的一个元素："),
    "outer.sum": (
        "{derivative} = {left} {right}, the {sum}; its entries:", "{derivative} = {left} {right}，即{sum}；其元素："),
    "outer.rest": (
        "{derivative} = {left} {right}, an outer product and another share; its entries:",
        "{derivative} = {left} {right}，即外积与另一份额之和；其元素："),
    "outer.large": (
        "{derivative} = {left} {right} has too many entries to print; its factors, its range and its largest entries:",
        "{derivative} = {left} {right} 的元素太多，不逐一列出；其因子、范围和最大的元素："),
    "outer.entry": ("row {row}, column {column}: {text}", "第 {row} 行第 {column} 列：{text}"),
    "explain.shapes": ("Shapes", "形状"),
    "explain.quantity": ("quantity", "量"),
    "explain.shape": ("shape", "形状"),
    "explain.its-gradient": ("its gradient or error signal, of the same shape", "其梯度或误差信号（形状相同）"),
    "explain.entry": (
        "{parameter} is one entry of {whole}: its gradient is the same entry of {matrix}.",
        "{parameter} 是 {whole} 的一个元素：它的梯度是 {matrix} 的对应元素。"),
    "explain.steps": ("Error sharing, step by step", "误差分享：逐步说明"),
    "explain.derivations": ("Two derivations, one number", "两种推导，同一结果"),
    "explain.equation": ("equation", "等式"),
    "explain.downwards": (
        "explicit differentiation ↓: its derivative with respect to {parameter}", "显式求导 ↓：对 {parameter} 的导数"),
    "explain.upwards": ("error sharing ↑: the error at that point", "误差分享 ↑：该处的误差"),
    "explain.equal": (
        "Explicit differentiation gives {explicit}, error sharing {gradient}: the same number.",
        "显式求导得到 {explicit}，误差分享得到 {gradient}：两者相同。"),
    "explain.unequal": (
        "Explicit differentiation gives {explicit}, error sharing {gradient}: numbers this large or small "
        "lose their accuracy to rounding.",
        "显式求导得到 {explicit}，误差分享得到 {gradient}：过大或过小的数会因舍入而失去精度。"),
    "explain.no-number": (
        "Explicit differentiation gives {explicit}, and so does error sharing ({gradient}): it is not a number.",
        "显式求导得到 {explicit}，误差分享也得到 {gradient}：它不是数。"),
    "explain.not-finite": (
        "Explicit differentiation gives {explicit}, error sharing {gradient}: they multiply in different "
        "orders, and once a factor is infinite, the order matters.",
        "显式求导得到 {explicit}，误差分享得到 {gradient}：两者相乘的次序不同，一旦有因子为无穷大，结果就会不同。"),
    "explain.constant-product": (
        "There is only one path: in each row, derivative times error is the gradient.",
        "只有一条路径：每一行中导数与误差之积都等于梯度。"),
    "explain.matrix": (
        "All at once, in matrix form: {matrix}, the error signals times the inputs, an outer product.",
        "以矩阵形式一次算出全部元素：{matrix}，即误差信号与输入的外积。"),
    "explain.largest": (
        "Element by element, for its largest entry: {symbols} = {numbers} = {entry}; the same entry of {matrix} is "
        "{gradient}.",
        "逐元素计算，取其最大元素：{symbols} = {numbers} = {entry}；{matrix} 中的对应元素为 {gradient}。"),
    "explain.check": ("Gradient check", "梯度检验"),
    "explain.direction": (
        "All entries move at once, along one fixed random direction.",
        "所有元素沿同一方向同时移动；该方向随机选定后不再改变。"),
    "explain.weak": ("Where the gradient shrinks", "梯度在何处衰减"),
    "explain.factor": ("factor of the strongest path", "最强路径上的因子"),
    "explain.number": ("number", "数值"),
    "explain.left": ("remaining error", "剩余误差"),
    "explain.share": ("share on the strongest path", "最强路径上的份额"),
    "explain.scale": ("its norm, relative to that of the incoming error", "其范数与来源误差的范数之比"),
    "explain.size": ("its norm", "其范数"),
    "explain.scales-least": (
        "{share} shrinks the error most: {scale} of its norm remains.",
        "{share} 对误差的衰减最大：范数只剩原来的 {scale} 倍。"),
    "explain.nothing-shrinks": (
        "No factor is below 1: nothing shrinks the error.", "没有小于 1 的因子：误差没有衰减。"),
    "explain.saturated": (
        "{unit} = {value} is saturated: {function} is flat there, so little error gets through.",
        "{unit} = {value} 已饱和：{function} 在该处很平坦，误差几乎无法通过。"),
    "explain.flat": (
        "Flat activations in layer {layer}: {flat} of {count} ({percentage} %), where |f′| is below a tenth of its "
        "largest value.",
        "第 {layer} 层的平坦激活值：{count} 个中有 {flat} 个（{percentage} %），其 |f′| 小于最大值的十分之一。"),
    "explain.errata": ("Errors in the printed notes", "讲义的印刷错误"),
    # ---- why a gradient is what it is, and what it means -------------------------------------------------------------
    "explain.why": ("Why", "为什么"),
    "explain.meaning": ("What the number means", "这个数的含义"),
    "why.one-path": (
        "A change of {parameter} reaches {output} through the values in between, and each step multiplies it by "
        "its local gradient. The gradient is the product of these factors: the chain rule.",
        "{parameter} 的变化经过中间各量传到 {output}，每一步都乘以该步的局部梯度。梯度就是这些因子之积：链式法则。"),
    "why.paths": (
        "A change of {parameter} reaches {output} along {count} paths, and each step multiplies it by its local "
        "gradient. The gradient is the sum over the paths of the products of these factors: the chain rule.",
        "{parameter} 的变化沿 {count} 条路径传到 {output}，每一步都乘以该步的局部梯度。"
        "梯度就是各路径上这些因子之积的总和：链式法则。"),
    "why.input": ("The input: {values}.", "输入：{values}。"),
    "why.factors-one-path": ("Where each factor comes from, starting at the output:", "各因子的由来，从输出开始："),
    "why.factors-paths": (
        "Where each factor of the strongest path comes from, starting at the output:",
        "最强路径上各因子的由来，从输出开始："),
    "why.partner": ("{factor} multiplies {input} in {equation}", "{factor}，在 {equation} 中与 {input} 相乘"),
    "why.slope": (
        "{factor} is the slope of {function} at {input} = {value}",
        "{factor}，是 {function} 在 {input} = {value} 处的斜率"),
    "why.unchanged": (
        "{factor}: {equation} changes as much as {input}", "{factor}：{equation} 的变化与 {input} 的变化相同"),
    "why.sum": (
        "{factor}: the sum {equation} changes as much as its term {input}, so it passes the error on unchanged",
        "{factor}：和 {equation} 的变化与其中一项 {input} 的变化相同，因此误差原样传下去"),
    "why.derivative": (
        "{factor} is the derivative of {equation} with respect to {input}",
        "{factor}，是 {equation} 对 {input} 的导数"),
    "why.rises": (
        "Raise {parameter} by {step}, and {output} rises by {change}, from {before} to {after}; "
        "the gradient predicts {step} × {gradient} = {predicted}.",
        "将 {parameter} 增加 {step}，{output} 就增加 {change}，从 {before} 变为 {after}；"
        "由梯度预测为 {step} × {gradient} = {predicted}。"),
    "why.falls": (
        "Raise {parameter} by {step}, and {output} falls by {change}, from {before} to {after}; "
        "the gradient predicts {step} × {gradient} = {predicted}.",
        "将 {parameter} 增加 {step}，{output} 就减少 {change}，从 {before} 变为 {after}；"
        "由梯度预测为 {step} × {gradient} = {predicted}。"),
    "why.same": (
        "Raise {parameter} by {step}, and {output} = {before} does not change; "
        "the gradient predicts {step} × {gradient} = {predicted}.",
        "将 {parameter} 增加 {step}，{output} = {before} 不变；由梯度预测为 {step} × {gradient} = {predicted}。"),
    "why.array-rises": (
        "Move {parameter} by {step} against its gradient, and {output} rises by {change}, from {before} to {after}; "
        "the gradient predicts {predicted}.",
        "将 {parameter} 沿负梯度方向移动 {step}，{output} 就增加 {change}，从 {before} 变为 {after}；"
        "由梯度预测为 {predicted}。"),
    "why.array-falls": (
        "Move {parameter} by {step} against its gradient, and {output} falls by {change}, from {before} to {after}; "
        "the gradient predicts {predicted}.",
        "将 {parameter} 沿负梯度方向移动 {step}，{output} 就减少 {change}，从 {before} 变为 {after}；"
        "由梯度预测为 {predicted}。"),
    "why.array-same": (
        "Move {parameter} by {step} against its gradient, and {output} = {before} does not change; "
        "the gradient predicts {predicted}.",
        "将 {parameter} 沿负梯度方向移动 {step}，{output} = {before} 不变；由梯度预测为 {predicted}。"),
    "why.descent-lowers": (
        "Gradient descent, which makes {output} smaller, lowers {parameter}.",
        "梯度下降使 {output} 变小，因此会减小 {parameter}。"),
    "why.descent-raises": (
        "Gradient descent, which makes {output} smaller, raises {parameter}.",
        "梯度下降使 {output} 变小，因此会增大 {parameter}。"),
    # ---- slips of the printed notes ----------------------------------------------------------------------------------
    "erratum.sigma": (
        "σ(z) = 1/(1 + exp(−z)): the notes omit the minus sign, which gives 1 − σ and flips the sign of every σ′.",
        "σ(z) = 1/(1 + exp(−z))：讲义漏印了负号，那样得到的是 1 − σ，所有 σ′ 都会变号。"),
    "erratum.index": (
        "The gradient of {parameter} is {error} · {signal}: the notes print δ_i · a_i where they mean δ_i · a_j.",
        "{parameter} 的梯度是 {error} · {signal}：讲义误将 δ_i · a_j 印作 δ_i · a_i。"),
    "erratum.bias": (
        "The gradient of {parameter} is {error}, of layer {next}: the notes print δ of layer {layer}.",
        "{parameter} 的梯度是第 {next} 层的 {error}：讲义误印为第 {layer} 层的 δ。"),
    "erratum.transpose": ("W⁽²⁾ = Uᵀ, a row: the notes print W⁽²⁾ = U.", "W⁽²⁾ = Uᵀ，是行向量：讲义误印为 W⁽²⁾ = U。"),
    "erratum.loss": (
        "This is the gradient of the output {output}: the notes call it the gradient of the loss, but the "
        "loss is J, with its two windows.",
        "这是输出 {output} 的梯度：讲义称之为损失的梯度，而损失应是含两个窗口的 J。"),
    "erratum.general": (
        "The error at a_j is Σ_i δ_i W_ij, summed over the units i that it was forwarded to: the notes print "
        "i for j in the general step.",
        "a_j 处的误差是 Σ_i δ_i W_ij，对它前向传给的神经元 i 求和：讲义在一般步骤中误将 j 印作 i。"),
    "erratum.soft-sign": (
        "soft sign′(z) = 1/(1 + |z|)²: the notes print (1 + z)².",
        "soft sign′(z) = 1/(1 + |z|)²：讲义误印为 (1 + z)²。"),
    # ---- the words of a sentence -------------------------------------------------------------------------------------
    "predict.marked": (
        "{word} is marked {tag}: s = {score}, and the threshold is {threshold}.",
        "{word} 标记为 {tag}：s = {score}，阈值为 {threshold}。"),
    "predict.unmarked": (
        "{word} is not marked {tag}: s = {score}, and the threshold is {threshold}.",
        "{word} 未标记为 {tag}：s = {score}，阈值为 {threshold}。"),
    "predict.effects": (
        "What each word of the window adds to s, to first order (∂s/∂x · x):",
        "窗口中每个词对 s 的一阶贡献（∂s/∂x · x）："),
    "predict.caption": (
        "After each word, in brackets: what it adds to s, to first order (∂s/∂x · x).",
        "词后括号内：该词对 s 的一阶贡献（∂s/∂x · x）。"),
    # ---- the page ----------------------------------------------------------------------------------------------------
    "page.step": ("Step {number} of {count}", "第 {number} 步，共 {count} 步"),
    "page.first": ("First", "首步"),
    "page.previous": ("Previous", "上一步"),
    "page.next": ("Next", "下一步"),
    "page.last": ("Last", "末步"),
    "page.play": ("Play", "播放"),
    "page.pause": ("Pause", "暂停"),
    "page.whole": ("The whole picture", "全图"),
    "page.keys": (
        "Arrow keys move one step; Home and End jump to the ends.", "用方向键逐步前进或后退；Home 与 End 键跳到首尾。"),
    "page.predict": ("Predict first", "先预测"),
    "page.predict-hint": (
        "Numbers stay hidden until you predict them.", "先预测，再显示数值。"),
    "page.question": ("{quantity} = ?", "{quantity} = ？"),
    "page.your-answer": ("Your answer", "你的答案"),
    "page.reveal": ("Reveal", "显示答案"),
    "page.right": ("Right: {quantity} = {number}.", "正确：{quantity} = {number}。"),
    "page.wrong": ("Not quite: {quantity} = {number}.", "还不对：{quantity} = {number}。"),
    "page.choose": ("See the flow to", "查看误差流向"),
    "page.choose-hint": (
        "Click a weight, a bias or a unit of the network to see its flow.",
        "点击网络中的权重、偏置或神经元，查看误差如何传到它。"),
    "page.network": ("The network", "网络"),
    "page.language": ("Language", "语言"),
    "page.theme": ("Theme", "主题"),
    "page.theme-auto": ("system", "跟随系统"),
    "page.theme-light": ("light", "浅色"),
    "page.theme-dark": ("dark", "深色"),
    "page.digits": ("Digits", "有效数字"),
    "page.all-digits": ("all", "全部"),
    "page.hidden": ("hidden", "已隐藏"),
    "page.forward": (
        "The forward pass is done: every value is known. Next sends the error back.",
        "前向传播已完成：所有数值均已知。按“下一步”开始反向传播误差。"),
    "page.check": ("Check", "检查"),
    "page.find": ("Find by name", "按名称查找"),
    "page.unfollowed": ("This page does not show the flow to {name}.", "本页没有讲述误差如何传到 {name}。"),
    "page.no-number": ("That is not a number; enter one such as 0.25.", "这不是数；请输入 0.25 这样的数。"),
    "page.unknown": ("There is no {name} on this page.", "本页中没有名为 {name} 的量。"),
    "page.table": ("Shares on the way to {parameter}", "通往 {parameter} 的路径上的份额"),
    "chart.twice": ("each shade is twice the one before; − is negative", "每深一级数值加倍；− 表示负数"),
    "chart.tenfold": ("each shade is ten times the one before; − is negative", "每深一级数值为十倍；− 表示负数"),
    "page.column-step": ("step", "步骤"),
    "page.column-from": ("from", "来源"),
    "page.column-to": ("to", "去向"),
    "page.folded": (
        "This page shows the strongest nodes of each layer and leaves out {count} others.",
        "此图另有 {count} 个节点未列入本页：每层只保留误差最大的节点。"),
    "page.untold": (
        "The flows to {count} nodes on this page are left out: the graph is too large.",
        "计算图太大，本页未讲述误差如何传到其中 {count} 个节点。"),
    "page.no-script": (
        "Without scripts, the picture and all steps are shown at once.", "未启用脚本时，图与所有步骤一次全部显示。"),
}.items()}  # fmt: skip
