using RenderFarm.Testing;

namespace RenderFarm.Training.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _errors = new();

    public void Dispose()
    {
        _errors.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("--device", "tpu", "use cuda or cpu")]
    [InlineData("--batch", "many", "a number is needed")]
    [InlineData("--stepps", "9", "unknown option --stepps")]
    public void Run_OptionThatMakesNoSense_IsNamed(string option, string value, string said)
    {
        Assert.Equal(2, Run("vae", "--device", "cpu", option, value));

        Assert.Contains(said, _errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_DenoiserBeforeTheOthers_SaysWhatIsMissing()
    {
        Assert.Equal(1, Run("denoiser", "--device", "cpu", "--small"));

        Assert.Contains("Wan2.2_VAE.safetensors", _errors.ToString(), StringComparison.Ordinal);
        Assert.Contains("vae and text", _errors.ToString(), StringComparison.Ordinal);
    }

    private int Run(string verb, params string[] options) =>
        CommandLine.Run([verb, "--out", _folder.Path, .. options], TextWriter.Null, _errors);
}
