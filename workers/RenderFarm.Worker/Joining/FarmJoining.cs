using Microsoft.Extensions.Options;
using RenderFarm.Contracts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Settings;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Hosting;
using RenderFarm.Worker.Registration;

namespace RenderFarm.Worker.Joining;

/// <summary>
/// Before there is a worker: a host that was invited (<see cref="JoinLine.Variable"/>) enrols and keeps its key, and one that has
/// joined says so again and hears what the farm has for it. Everything after that is settings.
/// </summary>
internal static class FarmJoining
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>What the file says, without a word to the farm.</summary>
    public static IReadOnlyList<string> SettingsOf(string dataDirectory) => JoinedFarm.Read(dataDirectory)?.Settings(null) ?? [];

    /// <param name="options">Of the worker that is to be.</param>
    /// <param name="invitation">The line; null or empty: none.</param>
    /// <param name="invitationFile">Where a line is, or will be, for a host that has joined nothing and has no key; empty: nowhere.</param>
    /// <param name="time">To wait by.</param>
    /// <param name="log">What is told meanwhile.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Settings that go above all others; none for a worker that is set by hand.</returns>
    /// <exception cref="WorkerSettingException">The invitation is not good, or the farm wants this host no more.</exception>
    public static async Task<IReadOnlyList<string>> RunAsync(
        WorkerOptions options,
        string? invitation,
        string invitationFile,
        TimeProvider time,
        ILogger log,
        CancellationToken cancellationToken
    )
    {
        using var alone = DataDirectoryLock.Take(options.DataDirectory);
        var before = JoinedFarm.Read(options.DataDirectory);
        var line = !string.IsNullOrWhiteSpace(invitation) ? Parse(invitation, JoinLine.Variable)
            : before is null && string.IsNullOrEmpty(options.ApiKey) && invitationFile.Length > 0
                ? await WaitForLineAsync(invitationFile, time, log, cancellationToken)
            : null;
        var farm = before;
        if (line is not null && before?.WasJoinedBy(line) != true)
        {
            farm = JoinedFarm.By(line);
            // Before the farm knows it: who is cut off here enrols with the same secret once more
            farm.Write(options.DataDirectory);
        }
        else if (line is not null && before is { Token: not null } && !before.LeadsTo(line))
        {
            // The same invitation, put right: the farm may have heard of the key by now
            farm = before.Towards(line);
            farm.Write(options.DataDirectory);
        }

        if (farm is null)
        {
            return [];
        }

        try
        {
            var reply = await EnrollAsync(options, farm, time, log, cancellationToken);
            if (farm.Token is not null)
            {
                (farm with { Token = null }).Write(options.DataDirectory);
            }

            log.Joined(farm.ApiUrl, reply.WorkerId, reply.Bus is null ? "by long poll" : "by bells");
            return farm.Settings(reply.Bus);
        }
        catch (WorkerSettingException fault) when (fault.ExitCode == WorkerExit.Refused && farm.Token is not null)
        {
            // That key opens nothing
            JoinedFarm.Restore(before?.Key == farm.Key ? null : before, options.DataDirectory);
            throw;
        }
    }

    private static JoinLine Parse(string text, string where) =>
        JoinLine.TryParse(text, out var line)
            ? line
            // Its text is left out: it may be the better part of a token
            : throw new WorkerSettingException($"{where} is no invitation: it must be of the form {JoinLine.Form}");

    /// <summary>The API that keeps the file may start after this worker.</summary>
    private static async Task<JoinLine> WaitForLineAsync(string file, TimeProvider time, ILogger log, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(0.5, LongestPause.TotalSeconds);
        while (true)
        {
            try
            {
                return Parse(await File.ReadAllTextAsync(file, cancellationToken), "Keys:InvitationFile");
            }
            catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
            {
                var wait = backoff.Next();
                log.NotInvited(file, wait.TotalSeconds);
                await Task.Delay(wait, time, cancellationToken);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                throw new WorkerSettingException($"Keys:InvitationFile {file} can't be read: {fault.Message}");
            }
        }
    }

    /// <param name="isNew">
    /// The host has not been in this farm yet, and somebody waits for it to be: a certificate other than the invitation's is told at once.
    /// </param>
    private static bool Passes(FarmApiException fault, bool isNew) =>
        (fault.IsTransient && !(isNew && fault.IsWrongCertificate)) || fault.IsIdentityInUse;

    private static async Task<EnrollReply> EnrollAsync(
        WorkerOptions options,
        JoinedFarm farm,
        TimeProvider time,
        ILogger log,
        CancellationToken cancellationToken
    )
    {
        var set = Options.Create(
            new WorkerOptions
            {
                ApiUrl = farm.ApiUrl,
                ApiKey = farm.Key,
                ApiCertificateSha256 = farm.CertificateSha256,
                DataDirectory = options.DataDirectory,
            }
        );
        using var api = new FarmApi(set, new WorkerKey(set, Options.Create(new KeysOptions())));
        var request = new EnrollRequest
        {
            Token = farm.Token ?? "",
            Secret = farm.Key,
            Identity = new WorkerIdentity(set).Id,
            Name = options.Name,
            Host = Environment.MachineName,
            Version = FarmVersion.Full,
            Protocol = WorkerProtocol.Current,
        };
        var backoff = new Backoff(0.5, LongestPause.TotalSeconds);
        while (true)
        {
            try
            {
                return await api.EnrollAsync(request, cancellationToken);
            }
            catch (FarmApiException fault) when (Passes(fault, isNew: farm.Token is not null))
            {
                var wait = backoff.Next();
                log.NotJoined(farm.ApiUrl, wait.TotalSeconds, fault.Message);
                await Task.Delay(wait, time, cancellationToken);
            }
            catch (FarmApiException fault)
            {
                throw new WorkerSettingException(
                    $"the farm at {farm.ApiUrl} does not take this host: {fault.Message.TrimEnd('.')}. A new invitation "
                        + "(./farm workers invite there, ./farm worker --join here) lets it in again"
                )
                {
                    ExitCode = WorkerExit.Refused,
                };
            }
        }
    }
}
