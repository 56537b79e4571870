using System.Diagnostics;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Testing;

namespace RenderFarm.Renderer.Tests;

/// <summary>The built renderer as a child process, spoken to as a worker speaks to it.</summary>
public sealed class RendererProcess : IDisposable
{
    public static string Binary { get; } = Path.Combine(AppContext.BaseDirectory, "RenderFarm.Renderer");

    private readonly System.Diagnostics.Process _process;
    private readonly Task<string> _errors;

    public RendererProcess(params IEnumerable<string> arguments)
        : this(new Dictionary<string, string>(), arguments) { }

    /// <param name="environment">Beside this process's own.</param>
    public RendererProcess(IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Binary, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["OMP_NUM_THREADS"] = "1"; // Two renderers beside the rest of the suite: more threads only wait for each other
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = System.Diagnostics.Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    public static string MakePipe(TemporaryFolder folder)
    {
        var path = folder.File("frames");
        using var made = System.Diagnostics.Process.Start("mkfifo", [path]);
        made.WaitForExit();
        return made.ExitCode == 0 ? path : throw new IOException($"mkfifo {path} failed");
    }

    /// <summary>One job of a process of its own, to its end: every frame and every report.</summary>
    public static async Task<(byte[] Frames, IReadOnlyList<RendererReport> Reports)> RenderAsync(RenderOrder order, TemporaryFolder folder)
    {
        File.Delete(order.FramePipe);
        var pipe = MakePipe(folder);
        using var renderer = new RendererProcess("render");
        renderer.Send(order with { FramePipe = pipe });
        var frames = Task.Run(
            () =>
            {
                using var stream = new FileStream(pipe, FileMode.Open, FileAccess.Read);
                using var bytes = new MemoryStream();
                stream.CopyTo(bytes);
                return bytes.ToArray();
            },
            TestContext.Current.CancellationToken
        );
        var (reports, exitCode) = await renderer.ToEndAsync();
        Assert.True(exitCode == 0, (reports[^1] as RendererReport.Failed)?.Message + await renderer.ErrorsAsync());
        return (await frames, reports);
    }

    public void Send(RenderOrder order) => SendLine(JsonSerializer.Serialize(order, ContractsJson.Default.RenderOrder));

    public void SendLine(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    public void CloseInput() => _process.StandardInput.Close();

    public void Terminate() => Signal("TERM");

    public void Signal(string name)
    {
        using var kill = System.Diagnostics.Process.Start("kill", ["-" + name, $"{Id}"]);
        kill.WaitForExit();
    }

    /// <summary>The next report; every line must be one.</summary>
    public async Task<RendererReport?> NextAsync()
    {
        var line = await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        return line is null ? null : JsonSerializer.Deserialize(line, ContractsJson.Default.RendererReport);
    }

    /// <summary>Reads on until a report of this type.</summary>
    public async Task<T> UntilAsync<T>()
        where T : RendererReport
    {
        while (await NextAsync() is { } report)
        {
            if (report is T found)
            {
                return found;
            }
        }
        throw new InvalidOperationException($"the renderer ended without {typeof(T).Name}; its errors: {await _errors}");
    }

    /// <summary>All reports to the end, and how the process ended.</summary>
    public async Task<(IReadOnlyList<RendererReport> Reports, int ExitCode)> ToEndAsync()
    {
        var reports = new List<RendererReport>();
        while (await NextAsync() is { } report)
        {
            reports.Add(report);
        }

        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (reports, _process.ExitCode);
    }

    /// <summary>All that it prints, for verbs that speak no reports.</summary>
    public async Task<(string Output, int ExitCode)> OutputAsync()
    {
        var output = await _process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (output, _process.ExitCode);
    }

    public Task<string> ErrorsAsync() => _errors;

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
