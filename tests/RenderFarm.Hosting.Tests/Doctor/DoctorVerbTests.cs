using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Checks;
using RenderFarm.Hosting.Doctor;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Hosting.Tests.Doctor;

public sealed class DoctorVerbTests : IDisposable
{
    private readonly StringWriter _output = new();

    public void Dispose() => _output.Dispose();

    [Theory]
    [InlineData]
    [InlineData("--Store:Kind=sqlite")]
    [InlineData("--json", "doctor")]
    public async Task Run_AnotherLine_IsTheProgramsOwn(params string[] line) =>
        Assert.Null(await DoctorVerb.RunAsync(line, "api", _ => throw new InvalidOperationException("it looked"), _output));

    [Fact]
    public async Task Run_WithSettings_LooksWithThemAndPrintsWhatItFinds()
    {
        var code = await DoctorVerb.RunAsync(["doctor", "--json", "--Keys:BootstrapFile=x"], "api", LookAsync, _output);

        Assert.Equal(0, code);
        Assert.Equal([HostCheck.Ok("looked with", "--Keys:BootstrapFile=x")], DoctorReport.Read(_output.ToString())!);

        static async IAsyncEnumerable<HostCheck> LookAsync(string[] settings)
        {
            await Task.CompletedTask;
            yield return HostCheck.Ok("looked with", string.Join(' ', settings));
        }
    }

    [Fact]
    public async Task Run_ASettingThatIsWrong_IsALackBesideWhatWasFoundBefore()
    {
        var code = await DoctorVerb.RunAsync(["doctor"], "worker", LookAsync, _output);

        Assert.Equal(1, code);
        Assert.Equal(
            [
                HostCheck.Ok("disk", "room"),
                HostCheck.Lacks("worker settings", "Keys:BootstrapFile: can't be read", "correct the setting"),
            ],
            DoctorReport.Read(_output.ToString())!
        );

        static async IAsyncEnumerable<HostCheck> LookAsync(string[] settings)
        {
            await Task.CompletedTask;
            yield return HostCheck.Ok("disk", "room");
            throw SettingsFaults.At<KeysOptions>("BootstrapFile", "can't be read");
        }
    }

    [Theory]
    [InlineData("--jsno")]
    [InlineData("verbose")]
    [InlineData("--=x")]
    public async Task Run_SomethingThatIsNoSetting_IsRefusedByName(string strange)
    {
        var wrong = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            DoctorVerb.RunAsync(["doctor", strange], "api", _ => throw new InvalidOperationException("it looked"), _output)
        );

        Assert.EndsWith($"not '{strange}'", Assert.Single(wrong.Failures), StringComparison.Ordinal);
    }
}
