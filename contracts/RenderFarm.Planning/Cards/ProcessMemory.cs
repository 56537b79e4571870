namespace RenderFarm.Planning.Cards;

/// <summary>What a renderer takes beside everything that plans count.</summary>
public static class ProcessMemory
{
    /// <summary>
    /// CUDA context, kernels loaded on first use, cuBLAS and cuDNN handles. Measured: "context" of h100-80gb-predict-again.txt, 0.747
    /// to 0.751 GiB.
    /// </summary>
    public const long OnCardBytes = 768L << 20;
}
