// Parity checks libtorch's live-tensor count, which is a figure of the whole process
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
