using Microsoft.Extensions.Options;
using RenderFarm.Testing;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Registration;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Registration;

public sealed class WorkerIdentityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Id_NextStartInTheSameDirectory_IsTheSameFromTheSamePlaceAndAnotherStart()
    {
        var (first, second) = (StartIn("a"), StartIn("a"));
        Assert.Equal(first.Id, second.Id);
        Assert.NotEqual(first.Instance, second.Instance);
        Assert.NotNull(first.Place);
        Assert.Equal(first.Place, second.Place);
    }

    [Fact]
    public void Id_CopiedDirectory_IsTheSameFromAnotherPlace()
    {
        var original = StartIn("a");
        var id = original.Id;
        Directory.CreateDirectory(Path.Combine(_folder.Path, "b"));
        File.Copy(FileIn("a"), FileIn("b"));
        Assert.Equal(id, StartIn("b").Id);
        Assert.NotEqual(original.Place, StartIn("b").Place);
    }

    [Fact]
    public void Id_MovedDirectory_IsTheSamePlace()
    {
        var (id, place) = (StartIn("a").Id, StartIn("a").Place);
        Directory.Move(Path.Combine(_folder.Path, "a"), Path.Combine(_folder.Path, "c"));
        Assert.Equal((id, place), (StartIn("c").Id, StartIn("c").Place));
    }

    [Fact]
    public void Id_FreshDirectory_IsNobodyElsesAndReadByItsOwnerAlone()
    {
        Assert.NotEqual(StartIn("a").Id, StartIn("b").Id);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FileIn("a")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("rack-1")]
    public void Id_FileThatHoldsSomethingElse_IsRefusedWithTheRemedy(string text)
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "a"));
        File.WriteAllText(FileIn("a"), text);
        var refused = Assert.Throws<WorkerSettingException>(() => StartIn("a").Id);
        Assert.Contains(FileIn("a"), refused.Message, StringComparison.Ordinal);
        Assert.Contains("delete it", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private string FileIn(string directory) => Path.Combine(_folder.Path, directory, WorkerIdentity.FileName);

    private WorkerIdentity StartIn(string directory)
    {
        var path = Path.Combine(_folder.Path, directory);
        Directory.CreateDirectory(path);
        return new WorkerIdentity(Options.Create(new WorkerOptions { DataDirectory = path }));
    }
}

/// <summary>A worker against an API that has something against it.</summary>
public sealed class RegistrationRefusalTests
{
    [Fact]
    public async Task Start_ApiThatIsTooNew_EndsTheWorkerWithWhatItSaid()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        worker.Desk.RegistrationRefusal = (426, "protocol_too_old");
        await worker.StartAsync();
        var refused = await Assert.ThrowsAsync<WorkerSettingException>(worker.EndAsync);
        Assert.Contains("newer than this worker", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_IdentityInUse_TriesAgainUntilTheOtherIsGone()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        worker.Desk.RegistrationRefusal = (409, "identity_in_use");
        await worker.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(worker.Desk.Refusals >= 2),
            TimeSpan.FromSeconds(30),
            "the worker to ask again",
            TestContext.Current.CancellationToken
        );

        worker.Desk.RegistrationRefusal = null;
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.Desk.CompletedAsync(job);

        var told = worker.Desk.Registrations.First();
        Assert.Equal(told.Instance, worker.Desk.Requests.First().Instance);
        Assert.Equal(32, told.Identity.Length);
    }

    [Fact]
    public async Task Poll_AnotherStartHasTakenThePlace_RegistersAgain()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        await worker.StartAsync();
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.Desk.CompletedAsync(job);
        var before = worker.Desk.Registrations.Count;

        worker.Desk.Superseded = true;
        await Eventually.TrueAsync(
            () => Task.FromResult(worker.Desk.Registrations.Count > before),
            TimeSpan.FromSeconds(30),
            "the worker to register again",
            TestContext.Current.CancellationToken
        );
    }
}
