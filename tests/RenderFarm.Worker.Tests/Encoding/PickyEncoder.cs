using RenderFarm.Testing;

namespace RenderFarm.Worker.Tests.Encoding;

/// <summary>
/// ffmpeg, but for one option that it does not know: real in everything else, and as ffmpeg ends when an option is not its own.
/// </summary>
internal sealed class PickyEncoder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PickyEncoder(string option)
    {
        File.WriteAllText(
            Path,
            $$"""
            #!/bin/bash
            # Until it is told otherwise it knows all of them
            if [[ -e {{Refusing}} && " $* " == *" {{option}} "* ]]; then
                echo "Unrecognized option '{{option[1..]}}'." >&2
                echo "Error splitting the argument list: Option not found" >&2
                exit 8
            fi
            exec ffmpeg "$@"

            """
        );
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Path => _folder.File("ffmpeg");

    private string Refusing => _folder.File("refusing");

    /// <summary>From the next start on.</summary>
    public PickyEncoder Refuse()
    {
        File.WriteAllText(Refusing, "");
        return this;
    }

    /// <summary>Another one is installed in its place, which knows the option.</summary>
    public void Replace()
    {
        File.Delete(Refusing);
        File.AppendAllText(Path, "# another\n");
    }

    public void Dispose() => _folder.Dispose();
}
