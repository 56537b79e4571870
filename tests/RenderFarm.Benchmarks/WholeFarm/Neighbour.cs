using System.Diagnostics;
using System.Globalization;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Benchmarks.WholeFarm;

/// <summary>Another program on the card, which holds all but a given rest of its memory and may take more.</summary>
internal sealed class Neighbour : IAsyncDisposable
{
    private readonly Process _process;

    private Neighbour(Process process) => _process = process;

    /// <summary>Resolves when the memory is taken.</summary>
    public static async Task<Neighbour> LeavingAsync(long bytes)
    {
        var start = new ProcessStartInfo(
            BuiltPrograms.Tools,
            ["bench", "occupy", "--leave", bytes.ToString(CultureInfo.InvariantCulture)]
        )
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var neighbour = new Neighbour(Process.Start(start)!);
        try
        {
            await neighbour.HeldAsync();
            return neighbour;
        }
        catch
        {
            await neighbour.DisposeAsync();
            throw;
        }
    }

    /// <summary>So much more, or as much as there is.</summary>
    public async Task TakeAsync(long bytes)
    {
        await _process.StandardInput.WriteLineAsync(bytes.ToString(CultureInfo.InvariantCulture));
        await _process.StandardInput.FlushAsync();
        await HeldAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task HeldAsync()
    {
        if (await _process.StandardOutput.ReadLineAsync() is not "held")
        {
            throw new InvalidOperationException("the neighbour that was to take the card's memory ended");
        }
    }
}
