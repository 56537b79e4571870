using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>
/// A second machine in one command, as its owner meets it: a home with nothing in it, a line from the farm's machine, and a farm that is
/// known by its own certificate alone.
/// </summary>
public sealed class SecondMachine : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);
    private readonly TemporaryFolder _farm = new();
    private readonly TemporaryFolder _second = new();
    private readonly TemporaryFolder _logs = new();

    public void Dispose()
    {
        _farm.Dispose();
        _second.Dispose();
        _logs.Dispose();
    }

    [Fact]
    public async Task UpWithTls_Invite_Join_RendersThereUntilRevoked()
    {
        var port = FreePort().ToString(CultureInfo.InvariantCulture);
        await using var up = Run(_farm, "up", "--listen", $"0.0.0.0:{port}", "--tls", "auto");
        await SaysAsync(up, "Ctrl-C stops it");
        var line = (await SayAsync(_farm, "workers", "invite", "--name", "second")).Trim();
        Assert.Matches($@"^https://[^/#]+:{port}#rfi_[0-9a-f]+\.sha256=[0-9a-f]{{64}}$", line);

        await using var worker = Run(_second, "worker", "--join", line);
        await LiveAsync("second", worker);
        var words = await File.ReadAllTextAsync($"/proc/{worker.Id}/cmdline", TestContext.Current.CancellationToken);
        Assert.DoesNotContain("rfi_", words, StringComparison.Ordinal);

        // The farm's own worker takes nothing: what is rendered is rendered there, by the model that came with the program.
        await SayAsync(_farm, "drain", Environment.MachineName);
        var clip = _second.File("clip.mp4");
        await SayAsync(_farm, "render", "a blue square", "--size", "64x32", "--frames", "9", "--steps", "2", "--out", clip);
        Assert.Equal(9, (await VideoFile.ProbeAsync(clip)).Frames);

        // Started again it needs no line.
        Assert.Equal(0, await worker.StopAsync());
        await using var again = Run(_second, "worker");
        await LiveAsync("second", again);

        await SayAsync(_farm, "workers", "revoke", "second");
        Assert.Equal(WorkerExit.Refused, await again.ExitAsync(Patience));
        Assert.DoesNotContain("second", await SayAsync(_farm, "workers"), StringComparison.Ordinal);
        Assert.Equal(0, await up.StopAsync());
    }

    private async Task LiveAsync(string name, FarmProcess worker) =>
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.False(worker.HasExited, worker.LastWords());
                return (await SayAsync(_farm, "workers", "--json"))
                    .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .Select(line => JsonDocument.Parse(line).RootElement)
                    .Any(shown => shown.GetProperty("name").GetString() == name && shown.GetProperty("status").GetString() == "live");
            },
            Patience,
            $"{name} to be there",
            TestContext.Current.CancellationToken
        );

    /// <returns>What the verb printed; it has to end well.</returns>
    private async Task<string> SayAsync(TemporaryFolder home, params string[] arguments)
    {
        await using var verb = Run(home, arguments);
        Assert.True(await verb.ExitAsync(Patience) == 0, verb.LastWords());
        return await File.ReadAllTextAsync(verb.Log, TestContext.Current.CancellationToken);
    }

    /// <summary>Neither a key nor an address is in its environment.</summary>
    private FarmProcess Run(TemporaryFolder home, params string[] arguments) =>
        FarmProcess.Start(
            arguments[0],
            BuiltPrograms.Cli,
            arguments,
            new Dictionary<string, string>
            {
                ["RENDERFARM_HOME"] = home.Path,
                ["Worker__Slots"] = "cpu",
                ["Worker__WeightCacheDirectory"] = Path.Combine(home.Path, "weights"),
            },
            _logs.File($"{Guid.NewGuid():N}.log"),
            alone: true
        );

    private static async Task SaysAsync(FarmProcess process, string words)
    {
        await Eventually.TrueAsync(
            () => Task.FromResult(process.HasExited || process.LastWords().Contains(words, StringComparison.Ordinal)),
            Patience,
            words,
            TestContext.Current.CancellationToken
        );
        Assert.Contains(words, process.LastWords(), StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
