using System.Globalization;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using RenderFarm.Testing;
using RenderFarm.Testing.Clips;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary><c>./farm demo</c> and <c>./farm up</c>, as a person meets them.</summary>
public sealed class CommandLine : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private readonly TemporaryFolder _home = new();
    private readonly TemporaryFolder _output = new();
    private readonly TemporaryFolder _logs = new();

    public void Dispose()
    {
        _home.Dispose();
        _output.Dispose();
        _logs.Dispose();
    }

    [Fact]
    public async Task Demo_FreshHome_WritesTheMp4AndLeavesNothingBehind()
    {
        var path = _output.File("clip.mp4");
        await using var demo = Farm(
            "demo", "a blue square", "--size", "64x32", "--frames", "9", "--steps", "2", "--seed", "5", "--guidance",
            "2", "--negative", "", "--out",
            path
        );

        Assert.True(await demo.ExitAsync(Patience) == 0, demo.LastWords());

        Assert.Contains($"{path}  64x32, 9 frames at 8 fps, seed 5", demo.LastWords(), StringComparison.Ordinal);
        Assert.Contains("100 %  done", demo.LastWords(), StringComparison.Ordinal);
        var file = await VideoFile.ProbeAsync(path);
        Assert.Equal((64, 32, 9, "8/1"), (file.Width, file.Height, file.Frames, file.FrameRate));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_home.Path, "demo")));
        Assert.Empty(ProcessesOfThisHome());
    }

    /// <summary>The prompt of the README, and one with a word that the model never saw.</summary>
    [Theory]
    [InlineData("a red ball rolls to the right on green", "red", Direction.Right, "green")]
    [InlineData("a blue square moves to the left on yellow, quixotically", "blue", Direction.Left, "yellow")]
    public async Task Demo_Prompt_ShowsJustThat(string prompt, string color, Direction direction, string background)
    {
        var path = _output.File("clip.mp4");
        await using var demo = Farm("demo", prompt, "--seed", "1", "--out", path);

        Assert.True(await demo.ExitAsync(Patience) == 0, demo.LastWords());

        var file = await VideoFile.ProbeAsync(path);
        var clip = await Clip.ReadAsync(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken), file.Width, file.Height);
        Assert.Equal(new Sight(color, direction, background), Sight.Of(clip));
        Assert.Equal(
            prompt.Contains("quixotically", StringComparison.Ordinal),
            demo.LastWords().Contains("demo never saw the words 'quixotically'", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Demo_RefusedRequest_SaysWhyAndStopsEverything()
    {
        await using var demo = Farm("demo", "a blue square", "--frames", "10", "--out", _output.File("clip.mp4"));

        Assert.True(await demo.ExitAsync(Patience) == 2, demo.LastWords());

        Assert.Contains("error: invalid_value (frames)", demo.LastWords(), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_output.Path));
        Assert.Empty(ProcessesOfThisHome());
    }

    [Fact]
    public async Task Demo_Interrupted_StopsEverythingAndLeavesNoHalfVideo()
    {
        await using var demo = Farm(
            "demo", "a blue square", "--size", "416x256", "--frames", "33", "--steps", "100", "--out",
            _output.File("clip.mp4")
        );
        await SaysAsync(demo, "of 100, about"); // Denoising, step N of 100

        Assert.NotEqual(0, await demo.StopAsync());

        Assert.Empty(Directory.EnumerateFileSystemEntries(_output.Path));
        Assert.Empty(ProcessesOfThisHome());
    }

    [Fact]
    public async Task Up_WhileRendering_ShowsItsAddressesAndStopsWithinThirtySeconds()
    {
        await using var up = await UpAsync();
        using var http = new HttpClient { BaseAddress = new Uri(Address(up)) };
        await using var keys = Farm("keys", "show");
        Assert.Equal(0, await keys.ExitAsync(Patience));
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            (await File.ReadAllTextAsync(keys.Log, TestContext.Current.CancellationToken)).Trim()
        );

        var metrics = Regex.Matches(up.LastWords(), @"metrics +(\S+)").Select(match => match.Groups[1].Value).ToArray();
        Assert.Equal(2, metrics.Length);
        foreach (var address in metrics)
        {
            Assert.Contains(
                "renderfarm_",
                await http.GetStringAsync(new Uri(address), TestContext.Current.CancellationToken),
                StringComparison.Ordinal
            );
        }

        await using var submit = Farm(
            "submit", "a blue square", "--size", "416x256", "--frames", "33", "--steps", "100", "--url",
            http.BaseAddress.ToString()
        );
        Assert.True(await submit.ExitAsync(Patience) == 0, submit.LastWords());
        var id = (await File.ReadAllTextAsync(submit.Log, TestContext.Current.CancellationToken)).Trim();
        await Eventually.TrueAsync(
            async () =>
                (await http.GetStringAsync(new Uri($"/v1/videos/{id}", UriKind.Relative))).Contains(
                    "\"stage\":\"denoising\"",
                    StringComparison.Ordinal
                ),
            Patience,
            "the render to begin",
            TestContext.Current.CancellationToken
        );

        var began = TimeProvider.System.GetTimestamp();
        Assert.Equal(0, await up.StopAsync());

        Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(30));
        Assert.Empty(ProcessesOfThisHome());
    }

    [Fact]
    public async Task Up_Farm_RendersOnTheGivenServers()
    {
        await using var services = await FarmOnServices.CreateAsync();
        Directory.CreateDirectory(Path.Combine(_home.Path, "models"));
        Directory.CreateSymbolicLink(Path.Combine(_home.Path, "models", "tiny"), Path.Combine(await TestModels.FolderAsync(), "tiny"));
        await using var up = await UpAsync(
            "--farm",
            "--postgres",
            services.Database.ConnectionString,
            "--rabbitmq",
            services.Host.Address.ToString(),
            "--s3",
            $"{TestServices.S3}up-{Guid.NewGuid():N}"
        );
        await using var render = Farm(
            "render", "a blue square", "--model", "tiny", "--url",
            Address(up),
            "--out",
            _output.File("clip.mp4")
        );

        Assert.True(await render.ExitAsync(Patience) == 0, $"{render.LastWords()}{Environment.NewLine}{up.LastWords()}");

        Assert.True((await VideoFile.ProbeAsync(_output.File("clip.mp4"))).Frames > 1);
        var words = string.Join('\n', ProcessesOfThisHome());
        Assert.Contains("--postgres ***", words, StringComparison.Ordinal);
        foreach (var secret in Secrets(services))
        {
            Assert.DoesNotContain(secret, words, StringComparison.Ordinal);
        }

        Assert.Contains("renderfarm.jobs.cpu", await services.Host.QueuesAsync(TestContext.Current.CancellationToken));
        Assert.Equal(0, await up.StopAsync());
        Assert.Empty(ProcessesOfThisHome());
    }

    /// <summary>Files of a home that an older version left open, and those that API, worker, renderer and encoder make.</summary>
    [Fact]
    public async Task Up_AHomeThatWasOpen_IsItsOwnersAlone()
    {
        const UnixFileMode Everybody = (UnixFileMode)0x1FF;
        var old = Directory.CreateDirectory(Path.Combine(_home.Path, "artifacts", "videos", "old")).FullName;
        await File.WriteAllTextAsync(Path.Combine(old, "video.mp4"), "old", TestContext.Current.CancellationToken);
        foreach (var path in new[] { _home.Path, Path.Combine(_home.Path, "artifacts"), old, Path.Combine(old, "video.mp4") })
        {
            File.SetUnixFileMode(path, Everybody);
        }

        await using var up = await UpAsync();
        await using var render = Farm(
            "render", "a blue square", "--size", "64x32", "--frames", "9", "--steps", "2", "--url",
            Address(up),
            "--out",
            _output.File("clip.mp4")
        );
        Assert.True(await render.ExitAsync(Patience) == 0, $"{render.LastWords()}{Environment.NewLine}{up.LastWords()}");

        var made = new DirectoryInfo(_home.Path).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).ToList();
        Assert.Contains(made, entry => entry.Name == "farm.db");
        Assert.Contains(made, entry => entry.Name == "farm.db-wal");
        Assert.Contains(made, entry => entry.Name == "worker.log");
        var videos = Path.Combine(_home.Path, "artifacts", "videos", "video_");
        Assert.Contains(made, entry => entry.FullName.StartsWith(videos, StringComparison.Ordinal));
        // Models are published files, and often somewhere else.
        made.RemoveAll(entry => entry.FullName.StartsWith(Path.Combine(_home.Path, "models"), StringComparison.Ordinal));
        Assert.Empty(
            made.Append(new DirectoryInfo(_home.Path))
                .Where(entry => ((int)entry.UnixFileMode & 0x3F) != 0 && entry.LinkTarget is null)
                .Select(entry => $"{entry.FullName} {entry.UnixFileMode}")
        );
        // What is the user's own is as the user has it.
        Assert.NotEqual(0, (int)File.GetUnixFileMode(_output.File("clip.mp4")) & 0x24);
        Assert.Equal(0, await up.StopAsync());
    }

    [Fact]
    public async Task Up_WorkerDies_IsReportedAndStartedAgain()
    {
        await using var up = await UpAsync();
        var worker = int.Parse(Regex.Match(up.LastWords(), @"worker process (\d+)").Groups[1].Value, CultureInfo.InvariantCulture);

        FarmProcess.KillHard(worker);

        await SaysAsync(up, "the worker died with exit code 137");
        await SaysAsync(up, "the worker is back");
        Assert.Equal(0, await up.StopAsync());
    }

    /// <summary>An operator's word about one worker is no end of the farm, neither now nor at its next start.</summary>
    [Fact]
    public async Task Up_ItsOwnWorkerRevoked_GoesOnWithoutOne()
    {
        const string Without = "goes on without a worker on this machine";
        await using (var up = await UpAsync())
        {
            await using var revoke = Farm("workers", "revoke", Environment.MachineName);
            Assert.True(await revoke.ExitAsync(Patience) == 0, revoke.LastWords());

            await SaysAsync(up, Without);
            await AnswersAsync(up);
            Assert.Equal(0, await up.StopAsync());
            File.Delete(up.Log);
        }

        await using var again = await UpAsync();
        await SaysAsync(again, Without);
        await AnswersAsync(again);
        Assert.Equal(0, await again.StopAsync());

        static async Task AnswersAsync(FarmProcess farm)
        {
            using var http = new HttpClient();
            using var answer = await http.GetAsync(new Uri($"{Address(farm)}/health/ready"), TestContext.Current.CancellationToken);
            Assert.True(answer.IsSuccessStatusCode);
        }
    }

    /// <summary>Where each of the servers' secrets stands in its address, and the farm's own keys.</summary>
    private IEnumerable<string> Secrets(FarmOnServices services) =>
        [
            services.Database.ConnectionString,
            services.Host.Address.UserInfo,
            TestServices.S3!.UserInfo,
            .. Regex.Matches(File.ReadAllText(Path.Combine(_home.Path, "keys.json")), "rf_[0-9a-f]+").Select(key => key.Value),
        ];

    private static string Address(FarmProcess up) => Regex.Match(up.LastWords(), @"API +(http://[^/\s]+)").Groups[1].Value;

    private async Task<FarmProcess> UpAsync(params string[] options)
    {
        using var probe = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        probe.Start();
        var port = ((System.Net.IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        var up = Farm(["up", "--port", port.ToString(CultureInfo.InvariantCulture), .. options]);
        await SaysAsync(up, "Ctrl-C stops it");
        return up;
    }

    private FarmProcess Farm(params string[] arguments) =>
        FarmProcess.Start(
            "farm",
            BuiltPrograms.Cli,
            arguments,
            new Dictionary<string, string> { ["RENDERFARM_HOME"] = _home.Path, ["Worker__Slots"] = "cpu" },
            _logs.File($"{arguments[0]}.log")
        );

    private static Task SaysAsync(FarmProcess process, string words) =>
        Eventually
            .ValueAsync(
                () => Task.FromResult(process.LastWords()),
                said => said.Contains(words, StringComparison.Ordinal) || process.HasExited,
                Patience,
                words,
                TestContext.Current.CancellationToken
            )
            .ContinueWith(said => Assert.Contains(words, said.Result, StringComparison.Ordinal), TaskScheduler.Default);

    /// <summary>API and worker carry the home in their environment; renderer and encoder work in a folder below it.</summary>
    private List<string> ProcessesOfThisHome() =>
        [
            .. Directory
                .EnumerateDirectories("/proc")
                .Where(folder => int.TryParse(Path.GetFileName(folder), out var id) && FarmProcess.IsRunning(id))
                .Where(folder =>
                    Read(folder, "environ").Contains(_home.Path, StringComparison.Ordinal)
                    || WorkingFolder(folder).StartsWith(_home.Path, StringComparison.Ordinal)
                )
                .Select(folder => Read(folder, "cmdline").Replace('\0', ' ')),
        ];

    private static string Read(string folder, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, file));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ""; // It has just ended, or is not ours to see
        }
    }

    private static string WorkingFolder(string folder)
    {
        try
        {
            return new FileInfo(Path.Combine(folder, "cwd")).LinkTarget ?? "";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
