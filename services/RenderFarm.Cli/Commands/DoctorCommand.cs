using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using RenderFarm.Cli.Farm;
using RenderFarm.Cli.Showing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>doctor</c>: what this machine has and lacks, each lack with its remedy. Changes nothing.</summary>
public static class DoctorCommand
{
    private const double NeededDiskGib = 5;
    private const double NeededMemoryGib = 4;

    public static Command Create(CommandRunner run, IAnsiConsole console)
    {
        var command = new Command("doctor", "Say what this machine has and lacks");
        run.Run(command, async (_, cancellation) =>
        {
            var sound = true;
            await foreach (var check in ChecksAsync(cancellation))
            {
                console.Say($"{(check.Sound ? "ok    " : check.Needed ? "LACKS " : "-     ")} {check.Subject}: {check.Finding}");
                sound &= check.Sound || !check.Needed;
            }
            return sound ? 0 : FarmCommand.Failure;
        });
        return command;
    }

    private sealed record Check(string Subject, bool Sound, string Finding, bool Needed = true);

    private static async IAsyncEnumerable<Check> ChecksAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        yield return Programs();
        yield return await EncoderAsync(cancellation);
        yield return await ToolAsync("ffprobe", ["-version"], "apt-get install ffmpeg", needed: true, cancellation);
        yield return await ToolAsync(
            "nvidia-smi", ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"], "no NVIDIA card here: renders run on the CPU", needed: false, cancellation);

        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Math.Pow(2, 30);
        yield return new Check("memory", memory >= NeededMemoryGib, Gib(memory) + (memory >= NeededMemoryGib ? "" : $"; {Gib(NeededMemoryGib)} or more is better"), Needed: false);

        var home = FarmHome.FromEnvironment();
        var free = new DriveInfo(ExistingParent(home.Root)).AvailableFreeSpace / Math.Pow(2, 30);
        yield return new Check("disk", free >= NeededDiskGib, $"{Gib(free)} free for {home.Root}" + (free >= NeededDiskGib ? "" : $"; set {FarmHome.Variable} to a folder with more"));
        yield return new Check("home", true, Directory.Exists(home.Root) ? home.Root : $"{home.Root} (made at first start)");
        yield return new Check("port 8080", LocalPorts.IsFree(8080), LocalPorts.IsFree(8080) ? "free" : "in use: a farm is up, or choose another with ./farm up --port", Needed: false);
    }

    private static Check Programs()
    {
        try
        {
            return new Check("programs", true, Path.GetDirectoryName(FarmPrograms.Find().Api)!);
        }
        catch (FarmException error)
        {
            return new Check("programs", false, error.Message);
        }
    }

    private static async Task<Check> EncoderAsync(CancellationToken cancellation)
    {
        const string remedy = "apt-get install ffmpeg";
        var encoders = await OutputAsync("ffmpeg", ["-hide_banner", "-encoders"], cancellation);
        return encoders is null
            ? new Check("ffmpeg", false, $"missing: {remedy}")
            : new Check("ffmpeg", encoders.Contains("libx264", StringComparison.Ordinal), encoders.Contains("libx264", StringComparison.Ordinal) ? "with libx264" : $"this build has no libx264: {remedy}");
    }

    private static async Task<Check> ToolAsync(string tool, string[] arguments, string remedy, bool needed, CancellationToken cancellation)
    {
        var output = await OutputAsync(tool, arguments, cancellation);
        return output is null ? new Check(tool, false, remedy, needed) : new Check(tool, true, output.Split('\n')[0].Trim(), needed);
    }

    /// <returns>Null when the tool is missing or fails.</returns>
    private static async Task<string?> OutputAsync(string tool, string[] arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(tool) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            var output = await process.StandardOutput.ReadToEndAsync(cancellation);
            await errors;
            await process.WaitForExitAsync(cancellation);
            return process.ExitCode == 0 ? output : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static string ExistingParent(string path)
    {
        while (!Directory.Exists(path))
            path = Path.GetDirectoryName(path)!;
        return path;
    }

    private static string Gib(double value) => value.ToString("0.0 GiB", CultureInfo.InvariantCulture);
}
