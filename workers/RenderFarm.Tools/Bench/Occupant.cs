using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using RenderFarm.Contracts.Units;
using RenderFarm.Cuda;
using RenderFarm.Verbs.Parsing;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench;

/// <summary>Another process that holds all memory of the card but a given rest.</summary>
internal sealed class Occupant : IDisposable
{
    public const string Verb = "occupy";
    private const long Piece = Gibibytes.One;
    private const long Grain = 2L << 20;
    private readonly Process _process;

    private Occupant(Process process) => _process = process;

    /// <summary>Returns when the memory is taken.</summary>
    public static Occupant LeaveFree(long bytes)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["bench", Verb, "--leave", bytes.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        var occupant = new Occupant(process);
        if (process.StandardOutput.ReadLine() is "held")
        {
            return occupant;
        }
        occupant.Dispose();
        throw new InvalidOperationException("the process that was to occupy the card ended");
    }

    /// <summary>
    /// The verb of that process: takes memory, says <c>held</c>, and holds it until its input ends. For each line it takes so many
    /// bytes more, or as many as there are, and says so again.
    /// </summary>
    public static int Occupy(long leave)
    {
        using var scope = NewDisposeScope();
        Take(leave);
        while (Console.In.ReadLine() is { } more)
        {
            Take(Math.Max(0, CudaDevice.Memory.Free - long.Parse(more, CultureInfo.InvariantCulture)));
        }

        return VerbProgram.Done;
    }

    private static void Take(long leave)
    {
        var piece = Piece;
        for (var over = CudaDevice.Memory.Free - leave; over > Grain && piece > Grain; over = CudaDevice.Memory.Free - leave)
        {
            try
            {
                empty([Math.Min(over, piece)], dtype: ScalarType.Byte, device: CUDA);
            }
            catch (ExternalException)
            {
                piece /= 2; // Somebody else took of it between the look and this
            }
        }

        Console.Out.WriteLine("held");
        Console.Out.Flush();
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
