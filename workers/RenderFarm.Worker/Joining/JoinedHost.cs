using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Logs;
using RenderFarm.Hosting.Settings;
using RenderFarm.Worker.Configuration;
using Sections = RenderFarm.Hosting.Settings.SettingsRegistration;

namespace RenderFarm.Worker.Joining;

/// <summary>What this host's membership of a farm adds to its settings; it is known before the worker is put together.</summary>
internal static class JoinedHost
{
    /// <summary>As the file has it: the doctor asks nobody.</summary>
    public static IReadOnlyList<string> Settings(string[] args) =>
        FarmJoining.SettingsOf(OptionsOf(WebApplication.CreateSlimBuilder(args)).DataDirectory);

    /// <inheritdoc cref="FarmJoining.RunAsync"/>
    public static async Task<IReadOnlyList<string>> JoinAsync(string[] args, TimeProvider time)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        var options = OptionsOf(builder);
        builder.Configuration.AddFarmLogs();
        using var logs = LoggerFactory.Create(logging =>
            logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddConsole()
        );
        return await FarmJoining.RunAsync(
            options,
            builder.Configuration[JoinLine.Variable],
            Sections.Read<KeysOptions, KeysOptionsValidator>(builder.Configuration).InvitationFile,
            time,
            logs.CreateLogger(typeof(FarmJoining)),
            CancellationToken.None
        );
    }

    private static WorkerOptions OptionsOf(WebApplicationBuilder builder)
    {
        builder.Configuration.AddFarmHome(FarmHome.Of(builder.Configuration[FarmHome.Variable]));
        return Sections.Read<WorkerOptions, WorkerOptionsValidator>(builder.Configuration);
    }
}
