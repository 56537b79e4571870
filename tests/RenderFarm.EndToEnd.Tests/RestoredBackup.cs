using System.Diagnostics;
using Npgsql;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>
/// A backup is restored while workers go on: what was completed since is found again from what lies beside it in the store, what the backup
/// knows goes on, and new work is done.
/// </summary>
public sealed class RestoredBackup
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(180);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Restore_DumpOfPostgres_LosesNoCompletedVideo()
    {
        await using var database = await PostgresDatabase.CreateAsync(Stop);
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup { Postgres = database.ConnectionString }, workers: 0);
        var dump = Path.Combine(farm.Home, "backup.dump");
        await StoryAsync(
            farm,
            backUp: () => RunAsync(database, "pg_dump", "--format=custom", $"--file={dump}"),
            restore: () => RunAsync(database, "pg_restore", "--clean", "--if-exists", "--exit-on-error", "--single-transaction", dump)
        );
    }

    [Fact]
    public async Task Restore_CopyOfSqlite_LosesNoCompletedVideo()
    {
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup(), workers: 0);
        var copies = Directory.CreateDirectory(Path.Combine(farm.Home, "backup")).FullName;
        await StoryAsync(
            farm,
            // Its files are copied while nobody writes them
            backUp: async () =>
            {
                await farm.Api.StopAsync();
                Copy(farm.Home, copies);
                await farm.StartApiAsync();
            },
            restore: () =>
            {
                foreach (var file in Directory.EnumerateFiles(farm.Home, "farm.db*"))
                {
                    File.Delete(file);
                }

                Copy(copies, farm.Home);
                return Task.CompletedTask;
            }
        );

        static void Copy(string from, string to)
        {
            foreach (var file in Directory.EnumerateFiles(from, "farm.db*"))
            {
                File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
            }
        }
    }

    private static async Task StoryAsync(FarmUnderTest farm, Func<Task> backUp, Func<Task> restore)
    {
        var worker = await farm.StartWorkerAsync("worker-1");
        var before = await SubmitAsync(farm, 1);
        await farm.CompletedAsync(before, Soon);
        await worker.StopAsync();
        var waiting = await SubmitAsync(farm, 2);

        await backUp();

        var again = await farm.StartWorkerAsync("worker-1");
        await farm.CompletedAsync(waiting, Soon);
        var since = await SubmitAsync(farm, 3);
        await farm.CompletedAsync(since, Soon);
        var content = await farm.Http.GetByteArrayAsync($"/v1/videos/{since}/content", Stop);

        await farm.Api.KillAsync();
        await restore();
        await farm.StartApiAsync();

        // Not in the backup at all: it can only come from the manifest
        await farm.EventuallyAsync(
            async () => (await farm.Http.GetAsync($"/v1/videos/{since}", Stop)).IsSuccessStatusCode,
            Soon,
            "the video of after the backup to be found again"
        );
        await farm.CompletedAsync(since, Soon);
        Assert.Equal(content, await farm.Http.GetByteArrayAsync($"/v1/videos/{since}/content", Stop));
        Assert.Empty(await farm.AttemptsAsync(since));

        await farm.CompletedAsync(before, Soon);
        await farm.CompletedAsync(waiting, Soon);
        Assert.NotEmpty(await farm.Http.GetByteArrayAsync($"/v1/videos/{waiting}/content", Stop));
        await farm.CompletedAsync(await SubmitAsync(farm, 4), Soon);
        Assert.False(again.HasExited, again.LastWords());
    }

    private static async Task<string> SubmitAsync(FarmUnderTest farm, long seed) =>
        (await farm.SubmitAsync(Requests.Quick(seed))).GetProperty("id").GetString()!;

    private static async Task RunAsync(PostgresDatabase database, string program, params string[] arguments)
    {
        var server = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var start = new ProcessStartInfo(program) { RedirectStandardError = true };
        string[] all =
        [
            $"--host={server.Host}",
            $"--port={server.Port}",
            $"--username={server.Username}",
            $"--dbname={server.Database}",
            .. arguments,
        ];
        foreach (var argument in all)
        {
            start.ArgumentList.Add(argument);
        }

        if (server.Password is { } password)
        {
            start.Environment["PGPASSWORD"] = password;
        }

        using var process = Process.Start(start)!;
        var errors = await process.StandardError.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop);
        Assert.True(process.ExitCode == 0, $"{program}: {errors}");
    }
}
