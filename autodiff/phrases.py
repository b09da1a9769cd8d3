"""Every sentence and term that a reader sees, once, in English and in Chinese.

Code that tells something names a row of the table and its fields; it holds no sentence of its own. Messages of errors
are not here: they are for those who program, and English.
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
    """The phrase of that key in that language, with its fields filled in.

    Raises:
        ValueError: an unknown language. KeyError: an unknown key, or a field that was not given.

    >>> say("step.forwarded", factor="a₄⁽¹⁾ = 0.8", parameter="W₁₄⁽¹⁾")
    '× a₄⁽¹⁾ = 0.8, the signal that W₁₄⁽¹⁾ forwarded.'
    >>> say("step.factor", "zh", factor="2")
    '× 2。'
    """
    return PHRASES[key][LANGUAGES.index(checked_language(language))].format_map(fields)


def checked_language(language: str) -> str:
    """``language`` itself, if the table has it.

    Raises:
        ValueError: it has not.

    >>> checked_language("zh")
    'zh'
    """
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r} (must be one of {', '.join(LANGUAGES)})")
    return language


def fields_of(text: str) -> frozenset[str]:
    """The names of a template's fields.

    >>> sorted(fields_of("{node} of {count}"))
    ['count', 'node']
    """
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


PHRASES: Final[Mapping[str, Phrase]] = {key: Phrase(*texts) for key, texts in {
    # ---- terms -------------------------------------------------------------------------------------------------------
    "term.error": ("error", "误差"),
    "term.error-sum": ("error = Σ", "误差 = Σ"),
    "term.error-at": ("error at {node}", "{node} 处的误差"),
    "term.error-signal": ("error signal", "误差信号"),
    "term.local-gradient": ("local gradient", "局部梯度"),
    "term.share": ("share", "份额"),
    "term.seed": ("seed", "种子"),
    "term.gradient": ("gradient", "梯度"),
    "term.value": ("value", "值"),
    "term.parameter": ("parameter", "参数"),
    "term.weight": ("weight", "权重"),
    "term.bias": ("bias", "偏置"),
    "term.unit": ("unit", "单元"),
    "term.layer": ("layer {layer}", "第 {layer} 层"),
    "term.input-layer": ("input layer", "输入层"),
    "term.hidden-layer": ("hidden layer", "隐藏层"),
    "term.output-layer": ("output layer", "输出层"),
    "term.shape": ("shape", "形状"),
    "term.product": ("product", "乘积"),
    "term.constant": ("constant", "常数"),
    "term.norm": ("{shape}, norm {norm}", "{shape}，范数 {norm}"),
    "term.about": ("about {number}", "约 {number}"),
    "term.true-window": ("true window", "真实窗口"),
    "term.corrupt-window": ("corrupt window", "损坏窗口"),
    "term.in-brackets": (" ({text})", "（{text}）"),
    "term.no-path": ("no path", "无路径"),
    "term.not-yet": ("not yet", "尚无"),
    "term.more": ("{count} more", "另有 {count} 个"),
    "term.more-factors": ("… ({count} more) …", "… （另有 {count} 个） …"),
    "term.more-nodes": ("{count} more nodes", "另有 {count} 个节点"),
    "term.backpropagation": ("backpropagation", "反向传播"),
    "term.forward-pass": ("forward pass", "前向传播"),
    "term.error-sharing": ("error sharing", "误差共享"),
    "term.max-margin": ("max-margin objective", "最大间隔目标"),
    "term.score": ("score", "得分"),
    "term.corrupt-score": ("corrupt score", "损坏窗口的得分"),
    "term.margin": ("margin", "间隔"),
    "term.activation": ("activation", "激活函数"),
    # ---- titles and descriptions -------------------------------------------------------------------------------------
    "title.flow": (
        "Error sharing: how the output’s error reaches {parameter}", "误差共享：输出的误差如何到达 {parameter}"),
    "title.empty": ("Error sharing: no error reaches {parameter}", "误差共享：没有误差到达 {parameter}"),
    "title.graph": ("Computation graph of {output}", "{output} 的计算图"),
    "title.network": ("The network and the way of the error to {parameter}", "网络，以及误差到达 {parameter} 的路径"),
    "title.text": ("How the error of {output} reaches {parameter}", "{output} 的误差如何到达 {parameter}"),
    # ---- numbered steps (notes, section 1.5) -------------------------------------------------------------------------
    "step.enters": ("An error signal of {seed} enters at {node}.", "误差信号 {seed} 从 {node} 进入。"),
    "step.enters-as-one": (
        "An error signal of {seed} enters at {node}: ∂{node}/∂{node}.",
        "误差信号 {seed} 从 {node} 进入：∂{node}/∂{node}。"),
    "step.through-each": ("Each error goes through its neuron:", "各误差穿过各自的神经元："),
    "step.at": ("at {node}: × {factor}", "在 {node} 处：× {factor}"),
    "step.output-unit": (
        "× {factor}, the local gradient of the output unit ({operation}).",
        "× {factor}，即输出单元（{operation}）的局部梯度。"),
    "step.through": ("× {factor} carries it through the neuron.", "× {factor}，误差由此穿过神经元。"),
    "step.signals": (
        "The error signals stand at z and are shared out:", "各误差信号位于 z 处，并由此分配出去："),
    "step.signal": ("{sum} stands at {node}.", "{sum}，位于 {node} 处。"),
    "step.signal-shared": ("{sum} stands at {node} and is shared out.", "{sum}，位于 {node} 处，并由此分配出去。"),
    "step.each-share": ("Each gets its share:", "各自得到自己的份额："),
    "step.each-share-adds": (
        "Each gets its share, and shares that meet add up:", "各自得到自己的份额，汇合的份额相加："),
    "step.meet": ("Shares meet at {node} and add up:", "各份额在 {node} 处汇合并相加："),
    "step.share": (
        "The share of {node} is {share}, the {error}{window}.", "{node} 得到的份额为 {share}，即 {error}{window}。"),
    "step.arrive": ("Shares arrive at {parameter}:", "到达 {parameter} 的份额："),
    "step.forwarded": (
        "× {factor}, the signal that {parameter} forwarded.", "× {factor}，即 {parameter} 在前向传播中传递的信号。"),
    "step.multiplied": ("× {factor}, what {parameter} multiplied.", "× {factor}，即与 {parameter} 相乘的量。"),
    "step.bias": ("× {factor}: a bias is a weight on a constant 1.", "× {factor}：偏置是常数 1 上的权重。"),
    "step.factor": ("× {factor}.", "× {factor}。"),
    "step.gradient": ("{derivative} = {numbers}, the gradient.", "{derivative} = {numbers}，即梯度。"),
    # ---- remarks -----------------------------------------------------------------------------------------------------
    "remark.no-path": (
        "{parameter} is on no path from {output}: no error reaches it, so it has no gradient (None, which is not 0).",
        "{parameter} 不在从 {output} 出发的任何路径上：没有误差到达它，因此它没有梯度（是 None，而不是 0）。"),
    "remark.hinge-kink": (
        "{node} = 0 is exactly at its kink, Δ + s_c − s = 0: by convention it shares no error there.",
        "{node} = 0 恰好位于折点，Δ + s_c − s = 0：按约定，此处不分配误差。"),
    "remark.margin-met": (
        "{node} = 0: the margin is met, so no error is shared and every gradient is 0.",
        "{node} = 0：间隔已满足，因此不分配误差，所有梯度均为 0。"),
    "remark.kink": (
        "{node} is exactly at a kink of {function}: its local gradient there is a convention.",
        "{node} 恰好位于 {function} 的折点：那里的局部梯度按约定取值。"),
    "remark.cancel": (
        "Paths of opposite signs nearly cancel: {percentage} % of their strength is left.",
        "符号相反的路径几乎相互抵消：只剩下其总强度的 {percentage} %。"),
    "remark.dies": ("Here the error dies: {factor} = 0.", "误差在此消失：{factor} = 0。"),
    "remark.dies-on-path": (
        "On the strongest path, the error dies: {factor} = 0.", "在最强的路径上，误差消失：{factor} = 0。"),
    "remark.shrinks": (
        "{factor} = {number} shrinks the error most.", "{factor} = {number} 使误差缩小得最多。"),
    "remark.shrinks-on-path": (
        "On the strongest path, {factor} = {number} shrinks the error most.",
        "在最强的路径上，{factor} = {number} 使误差缩小得最多。"),
    # ---- the text ----------------------------------------------------------------------------------------------------
    "text.more-lines": ("… {count} more lines …", "… 另有 {count} 行 …"),
    "text.more": ("… {count} more …", "… 另有 {count} 项 …"),
    "text.shares": ("Shares that arrive at {parameter}:", "到达 {parameter} 的份额："),
    "text.sum": ("their sum = {gradient} = the gradient", "其和 = {gradient} = 梯度"),
    "text.is-output": ("{parameter} is the output itself.", "{parameter} 就是输出本身。"),
    "text.paths": ("Paths: {count}; the strongest:", "路径数：{count}；其中最强的："),
    # ---- captions of pictures ----------------------------------------------------------------------------------------
    "caption.paths": (
        "{count} paths; the strongest{percentage}: {symbols}.",
        "共 {count} 条路径；最强的一条{percentage}：{symbols}。"),
    "caption.percentage": (" ({number} % of all, signs aside)", "（不计符号，占全部的 {number} %）"),
    "caption.strongest-only": (
        "Drawn is the strongest of {count} paths{percentage}.", "图中为 {count} 条路径中最强的一条{percentage}。"),
    "caption.along-strongest": ("{derivative} along the strongest path", "{derivative}（沿最强路径）"),
    "caption.part": ("a part of the gradient", "梯度的一部分"),
    "caption.bias": ("a bias is a weight on a constant 1", "偏置是常数 1 上的权重"),
    "caption.folded": ("{count} nodes are folded into {boxes} boxes.", "{count} 个节点已折叠为 {boxes} 个方框。"),
    # ---- the legend --------------------------------------------------------------------------------------------------
    "legend.forward": ("values, forward", "值，前向"),
    "legend.error": ("error × local gradient, backward", "误差 × 局部梯度，反向"),
    "legend.negative": ("negative share", "负份额"),
    "legend.zero": ("share exactly 0", "份额恰为 0"),
    "legend.parameter": ("the parameter", "该参数"),
    "legend.rest": ("not on the way", "不在路径上"),
    "legend.width": ("a wire is as wide as its share is large", "连线越粗，份额越大"),
    # ---- the numerical check -----------------------------------------------------------------------------------------
    "stamp.agrees": ("✓ {gradient} ≈ {numerical} (by differences)", "✓ {gradient} ≈ {numerical}（数值差分）"),
    "stamp.disagrees": ("✗ {gradient} ≠ {numerical} (by differences)", "✗ {gradient} ≠ {numerical}（数值差分）"),
    "stamp.unclear": ("differences cannot tell: {numerical}", "数值差分无法判断：{numerical}"),
    "check.line": ("Check: numerical derivative {check}: {verdict}.", "检验：数值导数 {check}：{verdict}。"),
    "check.agrees": ("agrees", "一致"),
    "check.disagrees": ("DISAGREES", "不一致"),
    "check.unclear": (
        "cannot tell, the function jumps or is not defined around here",
        "无法判断，函数在此附近有跳跃或没有定义"),
    "wrote": ("Wrote {path} (drawn by {engine}).", "已写入 {path}（由 {engine} 绘制）。"),
    # ---- the page ----------------------------------------------------------------------------------------------------
    "page.step": ("Step {number} of {count}", "第 {number} 步，共 {count} 步"),
    "page.first": ("First", "首步"),
    "page.previous": ("Previous", "上一步"),
    "page.next": ("Next", "下一步"),
    "page.last": ("Last", "末步"),
    "page.play": ("Play", "播放"),
    "page.pause": ("Pause", "暂停"),
    "page.whole": ("The whole picture", "完整的图"),
    "page.keys": (
        "Arrow keys step; Home and End go to the ends.", "用方向键逐步前进或后退；Home 与 End 键跳到首尾。"),
    "page.predict": ("Predict first", "先预测"),
    "page.predict-hint": (
        "Numbers stay hidden until you have predicted them.", "先预测，再显示数值。"),
    "page.question": ("What is {quantity}?", "{quantity} 是多少？"),
    "page.your-answer": ("Your answer", "你的答案"),
    "page.reveal": ("Reveal", "显示"),
    "page.right": ("Right: {quantity} = {number}.", "正确：{quantity} = {number}。"),
    "page.wrong": ("Not quite: {quantity} = {number}.", "不完全对：{quantity} = {number}。"),
    "page.choose": ("See the flow to", "查看误差流向"),
    "page.choose-hint": (
        "Click a weight, a bias or a unit of the network to see its flow.",
        "点击网络中的权重、偏置或单元，查看误差如何流到它。"),
    "page.network": ("The network", "网络"),
    "page.language": ("Language", "语言"),
    "page.theme": ("Theme", "主题"),
    "page.theme-auto": ("as the reader’s system", "跟随系统"),
    "page.theme-light": ("light", "浅色"),
    "page.theme-dark": ("dark", "深色"),
    "page.digits": ("Digits", "有效数字"),
    "page.all-digits": ("all", "全部"),
    "page.hidden": ("hidden", "已隐藏"),
    "page.no-script": (
        "Without scripts the picture and all steps are shown at once.", "未启用脚本时，图与所有步骤一次全部显示。"),
}.items()}  # fmt: skip
