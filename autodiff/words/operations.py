"""What operations are called in a sentence: in English by their own names, which are those of code, in Chinese as here.

The names are keyed by the operation's own, as the ledger has it; an operation that a user defined keeps its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from autodiff.words.phrases import checked_language

__all__ = ["CHINESE", "ENGLISH_SYMBOLS", "operation_name"]

#: The symbols in a picture's boxes that are English words rather than mathematics, as tanh and det are.
ENGLISH_SYMBOLS: Final = frozenset({
    "where", "clip", "trunc", "rint", "fmod", "reshape", "swapaxes", "expand_dims", "squeeze", "broadcast_to", "sum_to",
    "flip", "concatenate", "stack", "astype", "scatter", "cholesky", "eigh", "svd", "qr", "mean", "cumsum", "cumprod",
    "spread",
})  # fmt: skip

CHINESE: Final[Mapping[str, str]] = {
    # ---- arithmetic --------------------------------------------------------------------------------------------------
    "add": "加法", "subtract": "减法", "multiply": "乘法", "divide": "除法", "negative": "取负", "power": "乘方",
    "pow": "幂运算", "sqrt": "平方根", "cbrt": "立方根", "square": "平方", "reciprocal": "倒数", "absolute": "绝对值",
    "floor_divide": "整除", "remainder": "取余", "fmod": "截断取余", "hypot": "斜边长",
    "by_convention": "约定取值",
    # ---- functions ---------------------------------------------------------------------------------------------------
    "exp": "指数函数", "exp2": "以 2 为底的指数函数", "expm1": "指数减一", "log": "自然对数", "log1p": "加一取对数",
    "log2": "以 2 为底的对数", "log10": "常用对数", "logaddexp": "两数指数和的对数",
    "sin": "正弦", "cos": "余弦", "tan": "正切", "arcsin": "反正弦", "arccos": "反余弦", "arctan": "反正切",
    "arctan2": "四象限反正切", "sinh": "双曲正弦", "cosh": "双曲余弦", "tanh": "双曲正切", "arcsinh": "反双曲正弦",
    "arccosh": "反双曲余弦", "arctanh": "反双曲正切", "sech2": "双曲正割的平方", "sinc": "sinc 函数",
    "lorentzian": "洛伦兹函数", "gaussian": "高斯函数", "erfc": "余误差函数", "normal_cdf": "标准正态分布函数",
    "spherical_bessel": "球贝塞尔函数",
    # ---- units -------------------------------------------------------------------------------------------------------
    "identity": "恒等", "sigmoid": "Sigmoid 函数", "co_sigmoid": "互补 Sigmoid 函数",
    "log_sigmoid": "对数 Sigmoid 函数", "softplus": "Softplus 函数", "relu": "ReLU 函数",
    "leaky_relu": "带泄露的 ReLU 函数", "hard_tanh": "硬双曲正切", "soft_sign": "Softsign 函数", "elu": "ELU 函数",
    "gelu": "GELU 函数", "hinge": "合页损失", "hinge_sum": "合页损失之和",
    # ---- choices and steps -------------------------------------------------------------------------------------------
    "sign": "符号函数", "maximum": "较大值", "minimum": "较小值", "clip": "截断", "where": "条件选择",
    "floor": "向下取整", "ceil": "向上取整", "trunc": "向零取整", "rint": "就近取整",
    # ---- layout of arrays --------------------------------------------------------------------------------------------
    "reshape": "变形", "transpose": "转置", "swapaxes": "交换轴", "expand_dims": "增加维度", "squeeze": "压缩维度",
    "broadcast_to": "广播", "sum_to": "求和还原形状", "flip": "翻转", "concatenate": "拼接", "stack": "堆叠",
    "astype": "类型转换", "getitem": "索引", "scatter": "散布",
    # ---- linear algebra ----------------------------------------------------------------------------------------------
    "inner": "内积", "outer": "外积", "matvec": "矩阵乘向量", "vecmat": "向量乘矩阵", "matmul": "矩阵乘法",
    "stacked_matmul": "批量矩阵乘法", "affine": "仿射变换", "affine_rows": "逐行仿射变换", "weighted_sum": "加权和",
    "einsum": "爱因斯坦求和", "solve": "解线性方程组", "inv": "矩阵求逆", "pinv": "伪逆", "det": "行列式",
    "log_abs_det": "行列式绝对值的对数", "cholesky": "Cholesky 分解", "qr": "QR 分解", "eigh": "对称特征分解",
    "eigvalsh": "对称矩阵的特征值", "svd": "奇异值分解", "svdvals": "奇异值",
    # ---- reductions --------------------------------------------------------------------------------------------------
    "sum": "求和", "mean": "均值", "prod": "连乘", "max": "最大值", "min": "最小值", "norm": "范数",
    "logsumexp": "指数和的对数", "cumsum": "累积和", "cumprod": "累积积", "spread": "沿轴展开",
    "label_entropy": "标签的交叉熵",
    # ---- recurrences -------------------------------------------------------------------------------------------------
    "recurrent_states": "循环网络的各步状态", "linear_recurrence": "线性递推",
}  # fmt: skip


def operation_name(name: str, language: str = "en", /) -> str:
    """What an operation is called in that language; its own name where the language has no other.

    Raises:
        ValueError: an unknown language.

    >>> operation_name("weighted_sum", "zh"), operation_name("weighted_sum"), operation_name("my_cube", "zh")
    ('加权和', 'weighted_sum', 'my_cube')
    """
    return name if checked_language(language) == "en" else CHINESE.get(name, name)
