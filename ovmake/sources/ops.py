"""Side effects of TensorFlow's ops: which ops do nothing but compute their outputs from their inputs.

    pure = pure_ops(op_list)       # MetaInfoDef.stripped_op_list
    op in pure, op in READERS, op in CHECKS

A SavedModel lists the definitions of the ops it uses, except ops that only the bodies of While and
If use (meta_graph.ops_used_by_graph_def follows calls alone). PURE covers these.

Rule 1: an op in no list is not pure.
Rule 2: PURE contains only ops that TensorFlow's registry calls stateless; a test compares.
"""

from __future__ import annotations

from ovmake.sources.protobuf import Message

# Stateful by their definition, but harmless if nothing writes: they read a variable that never
# changes, or run functions whose bodies are checked node by node.
READERS = frozenset({
    "Case", "DisableCopyOnRead", "If", "PartitionedCall", "ReadVariableOp", "ResourceGather", "ResourceGatherNd",
    "StatefulPartitionedCall", "StatelessCase", "StatelessIf", "StatelessWhile", "VarIsInitializedOp", "VariableShape",
    "While",
})  # fmt: skip

# They stop the model, or let it continue.
CHECKS = frozenset({"Assert", "CheckNumerics", "CheckNumericsV2"})

# Stateless by their definition, but not followed. TF1's control flow needs the control edges: in
# `Merge(Const_a ^switch:1, Const_b ^switch:0)` they alone say which constant is alive. The rest
# draws random numbers, writes to its inputs, or depends on something outside of the graph.
OPAQUE = frozenset({
    "Enter", "Exit", "FractionalAvgPool", "FractionalMaxPool", "GetDeadline", "ImmutableConst", "InplaceAdd",
    "InplaceSub", "InplaceUpdate", "LoopCond", "MatchingFiles", "Merge", "NextIteration", "Placeholder",
    "PlaceholderV2", "PyFuncStateless", "ReadFile", "RiscRandomUniform", "Switch", "SymbolicGradient", "_SwitchN",
})  # fmt: skip

PURE = frozenset("""
    Abs Acos Acosh Add AddN AddV2 All Any ArgMax ArgMin AsString Asin Asinh Atan Atan2 Atanh AvgPool AvgPool3D
    BatchMatMul BatchMatMulV2 BatchMatMulV3 BatchToSpaceND BiasAdd Bincount Bitcast BitwiseAnd BitwiseOr BitwiseXor
    BroadcastArgs BroadcastTo Bucketize Cast Ceil ClipByValue CombinedNonMaxSuppression Complex ComplexAbs Concat
    ConcatOffset ConcatV2 Const Conv2D Conv2DBackpropInput Conv3D Conv3DBackpropInputV2 Cos Cosh CropAndResize Cross
    Cumprod Cumsum DepthToSpace DepthwiseConv2dNative Diag DiagPart Div DivNoNan DynamicPartition DynamicStitch
    Einsum Elu EmptyTensorList EnsureShape Equal Erf Erfc Erfinv Exp ExpandDims Expm1 ExtractImagePatches FFT FFT2D
    FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel Fill Floor FloorDiv FloorMod
    FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 Gather GatherNd GatherV2 Greater GreaterEqual IFFT IFFT2D IRFFT
    IRFFT2D Identity IdentityN Imag InTopKV2 Inv InvertPermutation IsFinite IsInf IsNan L2Loss LRN LeakyRelu
    LeftShift Less LessEqual Lgamma LinSpace Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr LowerBound MatMul
    MatrixBandPart MatrixDeterminant MatrixDiag MatrixDiagPart MatrixDiagPartV3 MatrixDiagV3 MatrixInverse
    MatrixSetDiag MatrixSetDiagV3 Max MaxPool MaxPool3D MaxPoolV2 Maximum Mean Min Minimum MirrorPad Mod Mul MulNoNan
    Neg NoOp NonMaxSuppression NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5
    NotEqual OneHot OnesLike Pack Pad PadV2 Pow PreventGradient Prod Qr QuantizeAndDequantizeV2
    QuantizeAndDequantizeV3 QuantizeAndDequantizeV4 RFFT RFFT2D Range Rank Real RealDiv Reciprocal ReduceJoin
    RegexReplace Relu Relu6 Reshape ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor Reverse
    ReverseSequence ReverseV2 RightShift Rint Roll Round Rsqrt ScatterNd SegmentMax SegmentMean SegmentMin
    SegmentProd SegmentSum Select SelectV2 Selu Shape ShapeN Sigmoid Sign Sin Sinh Size Slice Snapshot Softmax
    Softplus Softsign SpaceToBatchND SpaceToDepth SparseReshape SparseSegmentMean SparseSegmentSum
    SparseTensorDenseMatMul SparseToDense Split SplitV Sqrt Square SquaredDifference Squeeze StopGradient
    StridedSlice StringJoin StringLength StringLower StringUpper Sub Substr Sum Tan Tanh TensorListConcatV2
    TensorListElementShape TensorListFromTensor TensorListGather TensorListGetItem TensorListLength
    TensorListPopBack TensorListPushBack TensorListReserve TensorListResize TensorListScatterV2 TensorListSetItem
    TensorListSplit TensorListStack TensorScatterAdd TensorScatterMax TensorScatterMin TensorScatterSub
    TensorScatterUpdate TensorStridedSliceUpdate Tile TopK TopKV2 Transpose TruncateDiv TruncateMod Unique UniqueV2
    Unpack UnravelIndex UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum UpperBound
    Where Xdivy Xlog1py Xlogy ZerosLike
""".split())  # fmt: skip # noqa: SIM905 - 250 names are easier to read without their quotes

_DT_RESOURCE = 20


def pure_ops(op_list: Message) -> frozenset[str]:
    """Return the ops without side effects, according to an OpList and PURE."""
    listed = {op.text(1): _is_pure(op) for op in op_list.messages(1)}
    return (PURE - listed.keys() | {name for name, pure in listed.items() if pure}) - OPAQUE


def _is_pure(op: Message) -> bool:
    """Return whether an OpDef describes an op without state.

    `is_stateful` alone is not enough: it is false for `Assign`, which takes a reference.
    """
    inputs, outputs = op.messages(2), op.messages(3)
    by_reference = any(argument.integer(16) for argument in inputs + outputs)
    by_handle = any(argument.integer(3) == _DT_RESOURCE for argument in inputs)
    return not (op.integer(17) or by_reference or by_handle)
