using RenderFarm.Testing;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Training.Tests;

public sealed class TrainingVerbsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _errors = new();

    public void Dispose()
    {
        _errors.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("--device", "tpu", "must be cuda or cpu")]
    [InlineData("--batch", "many", "must be a whole number")]
    [InlineData("--stepps", "9", "there is no option --stepps")]
    public async Task Run_OptionThatMakesNoSense_IsNamed(string option, string value, string said)
    {
        Assert.Equal(2, await RunAsync("vae", option, value));

        Assert.Contains(said, _errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_DenoiserBeforeTheOthers_SaysWhatIsMissing()
    {
        Assert.Equal(1, await RunAsync("denoiser", "--device", "cpu", "--small"));

        Assert.Contains("Wan2.2_VAE.safetensors", _errors.ToString(), StringComparison.Ordinal);
        Assert.Contains("vae and text", _errors.ToString(), StringComparison.Ordinal);
    }

    private Task<int> RunAsync(string verb, params string[] options) =>
        VerbProgram.RunAsync(TrainingVerbs.Create(TextWriter.Null), [verb, "--out", _folder.Path, .. options], _errors);
}
