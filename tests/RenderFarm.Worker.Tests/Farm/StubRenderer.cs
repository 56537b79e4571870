using System.Globalization;
using System.Text.Json;
using RenderFarm.Contracts.Calibration;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;

// A worker is a Linux program: sessions, FIFOs, /proc
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace RenderFarm.Worker.Tests.Farm;

/// <summary>
/// A renderer as a shell script: a real process on the real pipes, that does what a test needs at the moment it needs
/// it. With the real one there are <c>RealRendererTests</c>.
/// </summary>
internal static class StubRenderer
{
    private const string Head = """
        #!/bin/bash
        say() { printf '%s\n' "$1"; }
        here=${0%/*}
        case $1 in
            probe) cat "$here/probe.json"; exit ;;
            calibrate)
                echo $$ >> "$here/measuring"
                until [ -e "$here/rates.json" ]; do sleep 0.05; done
                cat "$here/rates.json"
                exit ;;
        esac
        say '{"type":"ready","process_id":'$$',"version":"stub","lib_torch":"none","device":"cpu","start_seconds":0.01}'
        IFS= read -r order || exit 0
        while [[ $order == *'"ahead":true'* ]]; do
            printf '%s\n' "$order" >> "$here/ahead"
            [ -e "$here/slow" ] || say '{"type":"loaded"}'
            IFS= read -r order || exit 0
        done
        field() { grep -o "\"$1\":\"[^\"]*\"" <<< "$order" | head -1 | cut -d'"' -f4; }
        number() { grep -o "\"$1\":[0-9]*" <<< "$order" | head -1 | cut -d: -f2; }
        pipe=$(field frame_pipe); width=$(number width); height=$(number height); frames=$(number frames)
        say '{"type":"stage","stage":"denoising"}'
        """;

    /// <summary>Renders black frames.</summary>
    public const string Good = """
        say '{"type":"step","step":1,"steps":1,"seconds":0.01}'
        say '{"type":"stage","stage":"decoding"}'
        head -c $((width * height * 3 * frames)) /dev/zero > "$pipe"
        say '{"type":"finished","frames":'$frames',"measurements":{"peak_bytes":1000}}'
        """;

    /// <summary>Says a step and then works until it is killed.</summary>
    public const string Endless = """
        say '{"type":"step","step":1,"steps":9,"seconds":0.01}'
        while :; do say '{"type":"alive","stage":"denoising"}'; sleep 0.1; done
        """;

    /// <summary>What it says of its device when asked; a measurement ends as soon as there are <see cref="Rates"/>.</summary>
    public static void Answer(string folder, DeviceProbe probe) =>
        File.WriteAllText(Path.Combine(folder, "probe.json"), JsonSerializer.Serialize(probe, ContractsJson.Default.DeviceProbe));

    /// <summary>From now on what it measures is this.</summary>
    public static void Rates(string folder, CardCalibration rates)
    {
        var aside = Path.Combine(folder, "rates.new");
        File.WriteAllText(aside, JsonSerializer.Serialize(rates, ContractsJson.Default.CardCalibration));
        File.Move(aside, Path.Combine(folder, "rates.json"), overwrite: true);
    }

    /// <summary>Process ids of the measurements that were begun.</summary>
    public static IReadOnlyList<string> Measurements(string folder) =>
        File.Exists(Path.Combine(folder, "measuring")) ? File.ReadAllLines(Path.Combine(folder, "measuring")) : [];

    /// <summary>Orders ahead of their job that it was given.</summary>
    public static IReadOnlyList<RenderOrder> Ahead(string folder) =>
        File.Exists(Path.Combine(folder, "ahead"))
            ?
            [
                .. File.ReadAllLines(Path.Combine(folder, "ahead"))
                    .Select(line => JsonSerializer.Deserialize(line, ContractsJson.Default.RenderOrder)!),
            ]
            : [];

    /// <summary>From now on it never gets done with an order ahead of its job.</summary>
    public static void LoadForever(string folder) => File.WriteAllText(Path.Combine(folder, "slow"), "");

    /// <summary>A device on which everything is right.</summary>
    public static DeviceProbe Sound(string device = "stub", string? driver = null) =>
        new() { Subject = new CalibrationSubject(device, driver is null ? null : "GPU-1", driver, "stub", CalibrationFiles.Version) };

    public static string Write(string folder, string body)
    {
        Answer(folder, Sound());
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"renderer-{Guid.NewGuid():n}.sh"));
        File.WriteAllText(path, Head + "\n" + body + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
