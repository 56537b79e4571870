using System.Globalization;

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
        say '{"type":"ready","process_id":'$$',"version":"stub","lib_torch":"none","device":"cpu","start_seconds":0.01}'
        IFS= read -r order || exit 0
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

    public static string Write(string folder, string body)
    {
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"renderer-{Guid.NewGuid():n}.sh"));
        File.WriteAllText(path, Head + "\n" + body + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
