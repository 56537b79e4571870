using System.Diagnostics;
using System.Net;
using System.Reflection;
using RenderFarm.Api.Composition;

namespace RenderFarm.Api.Tests.Hosting;

public sealed class StartTests
{
    [Theory]
    [InlineData("Store:Kind=oracle")]
    [InlineData("Bus:Kind=kafka")]
    [InlineData("Bus:Kind=rabbitmq", "Bus:Uri=localhost")]
    [InlineData("Artifacts:Kind=tape")]
    [InlineData("Api:Url=8080")]
    [InlineData("Metrics:Url=here")]
    [InlineData("Videos:DownloadLinkSeconds=soon")]
    [InlineData("Videos:DefaultModel=")]
    [InlineData("Videos:DefaultQuality=best")]
    [InlineData("Api:Url=http://999.1.1.1:8080")]
    [InlineData("Api:Url=http://192.0.2.7:8080")] // An address for books, which no machine has
    [InlineData("Store:Kind=postgres", "Store:ConnectionString=Hst=x;;=3")]
    [InlineData("Store:Kind=postgres", "Store:ConnectionString=Username=farm")]
    [InlineData("Store:ConnectionString=Foo=bar")]
    [InlineData("Keys:BootstrapFile=/proc/nowhere/keys.json")]
    [InlineData("Keys:RequestsPerMinut=5")]
    [InlineData("Viedos:DefaultModel=demo")]
    [InlineData("Outbound:AllowedNetworks:0=ten")]
    public void Main_ABadSetting_EndsWithItsKeyAndCode2(params string[] settings)
    {
        var home = Directory.CreateTempSubdirectory("renderfarm-start-").FullName;
        try
        {
            var (code, errors) = RunMain([
                $"--RENDERFARM_HOME={home}",
                "--Api:Url=http://127.0.0.1:0",
                .. settings.Select(setting => "--" + setting),
            ]);

            Assert.Equal(2, code);
            Assert.Contains(settings[^1].Split('=')[0], errors, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    [Fact]
    public void Main_ATakenPort_EndsNamingItAndCode2()
    {
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var home = Directory.CreateTempSubdirectory("renderfarm-start-").FullName;
        try
        {
            var (code, errors) = RunMain([
                $"--RENDERFARM_HOME={home}",
                $"--Api:Url=http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}",
                "--Logging:LogLevel:Default=None",
            ]);

            Assert.Equal(2, code);
            Assert.Contains("already in use", errors, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    [Fact]
    public async Task Start_WithTheBrokerDown_DoesNotWait_AndTakesVideosAtOnce()
    {
        // Nothing listens on the discard port.
        await using var farm = await TestFarm.StartAsync(
            "--Bus:Kind=rabbitmq",
            "--Bus:Uri=amqp://guest:guest@127.0.0.1:9/",
            "--Logging:LogLevel:MassTransit=None"
        );
        await farm.RegisterWorkerAsync();
        await farm.SubmitAsync();
        var clock = Stopwatch.StartNew();

        await farm.SubmitAsync();

        // The bell is given up after five seconds; a submission that waited for it would take longer.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(4), $"took {clock.Elapsed}");
        Assert.Equal(HttpStatusCode.OK, (await farm.User.GetAsync("/health/ready")).StatusCode);
    }

    [Fact]
    public async Task Start_Twice_KeepsKeysAndVideos()
    {
        var home = Directory.CreateTempSubdirectory("renderfarm-twice-").FullName;
        string[] here = [$"--Store:ConnectionString=Data Source={home}/farm.db;Pooling=False", $"--Keys:BootstrapFile={home}/keys.json"];
        string key,
            id;
        await using (var first = await TestFarm.StartAsync(here))
        {
            await first.RegisterWorkerAsync();
            (key, id) = (first.AdminKey, (string)(await first.SubmitAsync())["id"]!);
        }

        await using (var second = await TestFarm.StartAsync(here))
        {
            Assert.Equal(key, second.AdminKey);
            Assert.Equal(HttpStatusCode.OK, (await second.User.GetAsync($"/v1/videos/{id}")).StatusCode);
        }

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(home, "keys.json")));
        }

        Directory.Delete(home, recursive: true);
    }

    /// <summary>
    /// The program as a process runs it. Console output is shared, so these tests run one at a time, as all of a class do.
    /// </summary>
    private static (int Code, string Errors) RunMain(string[] args)
    {
        var before = Console.Error;
        using var errors = new StringWriter();
        Console.SetError(errors);
        try
        {
            return ((int)typeof(FarmApi).Assembly.EntryPoint!.Invoke(null, [args])!, errors.ToString());
        }
        catch (TargetInvocationException e)
        {
            return (-1, e.ToString());
        }
        finally
        {
            Console.SetError(before);
        }
    }
}
