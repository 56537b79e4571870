using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Tls;
using RenderFarm.Testing;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Joining;

namespace RenderFarm.Worker.Tests.Joining;

/// <summary>A host that joins a farm: what it says, what it keeps, and what it is set to then.</summary>
public sealed class FarmJoiningTests : IAsyncLifetime
{
    private const string Token = "rfi_0123456789abcdef";
    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentQueue<EnrollRequest> _heard = new();
    private readonly ConcurrentQueue<(int Status, string Code)> _refusals = new();
    private X509Certificate2 _certificate = null!;
    private WebApplication _farm = null!;

    public async ValueTask InitializeAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var made = new CertificateRequest("CN=some farm", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            now.AddDays(-1),
            now.AddDays(1)
        );
        _certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.UseUrls("https://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = _certificate));
        builder.Logging.ClearProviders();
        _farm = builder.Build();
        _farm.MapPost("/worker/v1/enroll", (Func<HttpContext, Task<IResult>>)EnrollAsync);
        await _farm.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _farm.DisposeAsync();
        _certificate.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Join_ByAnInvitation_KeepsOneKeyThatNobodyElseReads()
    {
        var settings = await JoinAsync(Line(Token));

        var told = Assert.Single(_heard);
        Assert.Equal((Token, "old pc"), (told.Token, told.Name));
        Assert.Contains($"--Worker:ApiUrl={Url}", settings);
        Assert.Contains($"--Worker:ApiKey={told.Secret}", settings);
        Assert.Contains("--Bus:Uri=amqp://worker_1:once@127.0.0.1/", settings);
        var file = Joined;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        var kept = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        Assert.Contains(told.Secret, kept, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, kept, StringComparison.Ordinal);
        Assert.DoesNotContain("once", kept, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_AfterItHasJoined_NeedsNoInvitation()
    {
        await JoinAsync(Line(Token));
        var again = await JoinAsync(null);
        // The unit's environment still has the line that was used.
        await JoinAsync(Line(Token));

        Assert.Single(_heard.Select(told => told.Secret).Distinct());
        Assert.Single(_heard.Select(told => told.Identity).Distinct());
        Assert.Equal(["", ""], _heard.Skip(1).Select(told => told.Token));
        Assert.Contains($"--Worker:ApiUrl={Url}", again);
    }

    [Fact]
    public async Task Join_ByANewInvitation_MakesANewKeyForTheSameInstallation()
    {
        await JoinAsync(Line(Token));
        await JoinAsync(Line("rfi_another"));

        Assert.Equal(2, _heard.Select(told => told.Secret).Distinct().Count());
        Assert.Single(_heard.Select(told => told.Identity).Distinct());
    }

    [Fact]
    public async Task Join_WhileTheFarmIsAway_TriesAgainWithTheSameSecret()
    {
        _refusals.Enqueue((503, "unavailable"));
        _refusals.Enqueue((409, "identity_in_use"));

        await JoinAsync(Line(Token));

        Assert.Equal(3, _heard.Count);
        Assert.Single(_heard.Select(told => told.Secret).Distinct());
    }

    [Fact]
    public async Task Join_ByAnInvitationThatIsNotGood_EndsAndSaysWhatToDo()
    {
        _refusals.Enqueue((401, "invalid_invitation"));

        var fault = await Assert.ThrowsAsync<WorkerSettingException>(() => JoinAsync(Line(Token)));

        Assert.Contains("./farm workers invite", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, fault.Message, StringComparison.Ordinal);
        Assert.Equal(WorkerExit.Refused, fault.ExitCode);
        Assert.False(File.Exists(Joined));
    }

    /// <summary>A line that was mistyped or is over takes nobody out of the farm.</summary>
    [Fact]
    public async Task Join_ByAnInvitationThatIsNotGood_StaysInTheFarmThatItWasIn()
    {
        await JoinAsync(Line(Token));
        _refusals.Enqueue((401, "invalid_invitation"));
        await Assert.ThrowsAsync<WorkerSettingException>(() => JoinAsync(Line("rfi_another")));

        await JoinAsync(null);

        Assert.Equal(_heard.First().Secret, _heard.Last().Secret);
        Assert.NotEqual(_heard.First().Secret, _heard.ElementAt(1).Secret);
    }

    /// <summary>The key was made and the farm did not hear of it, or its answer was lost: the next start needs no line either.</summary>
    [Fact]
    public async Task Start_AfterItWasCutOffWhileJoining_EnrolsOnceMoreWithTheSame()
    {
        using var power = new CancellationTokenSource();
        _refusals.Enqueue((503, "unavailable"));
        var log = new EventLog(2801);
        var joining = FarmJoining.RunAsync(Options, Line(Token), "", TimeProvider.System, log, power.Token);
        await log.SeenAsync();
        await power.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => joining);

        await JoinAsync(null);

        Assert.Equal([Token, Token], new[] { _heard.First().Token, _heard.Last().Token });
        Assert.Single(_heard.Select(told => told.Secret).Distinct());
        Assert.DoesNotContain(Token, await File.ReadAllTextAsync(Joined, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WithAFileOfInvitations_WaitsForItOnceAndNeverAgain()
    {
        var file = Path.Combine(_folder.Path, "invitation");
        var log = new EventLog(2802);
        var joining = FarmJoining.RunAsync(Options, null, file, TimeProvider.System, log, TestContext.Current.CancellationToken);
        await log.SeenAsync();
        await File.WriteAllTextAsync(file + ".part", Line(Token) + "\n", TestContext.Current.CancellationToken);
        File.Move(file + ".part", file);
        await joining;

        await File.WriteAllTextAsync(file, Line("rfi_the_next"), TestContext.Current.CancellationToken);
        await FarmJoining.RunAsync(Options, null, file, TimeProvider.System, log, TestContext.Current.CancellationToken);

        Assert.Equal([Token, ""], _heard.Select(told => told.Token));
    }

    [Fact]
    public async Task Start_WithAKeyOfItsOwn_LooksAtNoFileOfInvitations()
    {
        var options = new WorkerOptions { DataDirectory = _folder.Path, Name = "old pc", ApiKey = "rf_mine" };
        Assert.Empty(
            await FarmJoining.RunAsync(
                options,
                null,
                "/nowhere/invitation",
                TimeProvider.System,
                NullLogger.Instance,
                TestContext.Current.CancellationToken
            )
        );
    }

    [Theory]
    [InlineData("rfi_0123456789abcdef")]
    [InlineData("https://farm:8080")]
    [InlineData("https://farm:8080#rfi_1.sha256=abc")]
    [InlineData("http://farm:8080#rfi_1.sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    public async Task Join_ByWhatIsNoInvitation_EndsAndKeepsNothing(string line)
    {
        var fault = await Assert.ThrowsAsync<WorkerSettingException>(() => JoinAsync(line));

        Assert.Contains("https://farm:8080#rfi_", fault.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Joined));
    }

    [Fact]
    public async Task Start_OfAHostThatJoinedNoFarm_IsSetByHand()
    {
        Assert.Empty(await JoinAsync(null));
        Assert.Empty(_heard);
    }

    /// <summary>Another certificate, as of somebody in between, is told nothing; whoever gave the line is, at once.</summary>
    [Fact]
    public async Task Join_AFarmWithAnotherCertificate_EndsWithoutAWordToIt()
    {
        var fault = await Assert.ThrowsAsync<WorkerSettingException>(() => JoinAsync(LineOfAnother));

        Assert.Contains(new string('0', 64), fault.Message, StringComparison.Ordinal);
        Assert.Contains("./farm workers invite", fault.Message, StringComparison.Ordinal);
        Assert.Equal(WorkerExit.Refused, fault.ExitCode);
        Assert.Empty(_heard);
        Assert.False(File.Exists(Joined));

        // The same invitation, typed right
        await JoinAsync(Line(Token));
        Assert.Equal(Token, Assert.Single(_heard).Token);
    }

    /// <summary>A service is started when nobody looks, and the farm's own certificate may be back tomorrow.</summary>
    [Fact]
    public async Task Start_WhileTheFarmHasAnotherCertificate_WaitsForTheOneItKnows()
    {
        await JoinAsync(Line(Token));
        var file = await File.ReadAllTextAsync(Joined, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            Joined,
            file.Replace(PinnedCertificate.DigestOf(_certificate), new string('0', 64), StringComparison.Ordinal),
            TestContext.Current.CancellationToken
        );
        using var patience = new CancellationTokenSource();
        var log = new EventLog(2801);
        var starting = FarmJoining.RunAsync(Options, null, "", TimeProvider.System, log, patience.Token);

        await log.SeenAsync();
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
        Assert.Single(_heard);
    }

    [Fact]
    public async Task Join_ByTheSameInvitationWithAnotherAddress_GoesThereWithTheSameSecret()
    {
        using var patience = new CancellationTokenSource();
        var log = new EventLog(2801);
        // Nothing listens there
        var mistyped = new JoinLine(new Uri("https://127.0.0.1:1"), Token, PinnedCertificate.DigestOf(_certificate)).ToString();
        var joining = FarmJoining.RunAsync(Options, mistyped, "", TimeProvider.System, log, patience.Token);
        await log.SeenAsync();
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => joining);
        var kept = await File.ReadAllTextAsync(Joined, TestContext.Current.CancellationToken);

        await JoinAsync(Line(Token));

        Assert.Contains(Assert.Single(_heard).Secret, kept, StringComparison.Ordinal);
    }

    private string LineOfAnother => new JoinLine(new Uri(Url), Token, new string('0', 64)).ToString();

    private string Url => _farm.Urls.First();
    private string Joined => Path.Combine(_folder.Path, FarmHome.JoinedFileName);

    private WorkerOptions Options => new() { DataDirectory = _folder.Path, Name = "old pc" };

    private string Line(string token) => new JoinLine(new Uri(Url), token, PinnedCertificate.DigestOf(_certificate)).ToString();

    private Task<IReadOnlyList<string>> JoinAsync(string? line) =>
        FarmJoining.RunAsync(Options, line, "", TimeProvider.System, NullLogger.Instance, TestContext.Current.CancellationToken);

    private async Task<IResult> EnrollAsync(HttpContext context)
    {
        Assert.Empty(context.Request.Headers.Authorization.ToString());
        _heard.Enqueue(
            (await context.Request.ReadFromJsonAsync(ContractsJson.Default.EnrollRequest, TestContext.Current.CancellationToken))!
        );
        return _refusals.TryDequeue(out var refusal)
            ? Results.Json(new { error = new { code = refusal.Code, message = "no" } }, statusCode: refusal.Status)
            : Results.Json(
                new EnrollReply { WorkerId = "worker_1", Bus = new WorkerBus("amqp://worker_1:once@127.0.0.1/") },
                ContractsJson.Default.EnrollReply
            );
    }

    /// <summary>Waits for a line of the log.</summary>
    private sealed class EventLog(int id) : ILogger
    {
        private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task SeenAsync() => _seen.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (eventId.Id == id)
            {
                _seen.TrySetResult();
            }
        }
    }
}
