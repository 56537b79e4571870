using System.Net.Http.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Workers;

/// <summary>Who may register, and what is said to those who may not.</summary>
public sealed class RegistrationTests : IAsyncLifetime
{
    private TestFarm _farm = null!;

    public async ValueTask InitializeAsync() => _farm = await TestFarm.StartAsync();

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task Register_TellsTheProtocolOfTheApi()
    {
        var reply = await (await SendAsync(Request())).ContractAsync<RegisterWorkerReply>();
        Assert.Equal(WorkerProtocol.Current, reply.Protocol);
    }

    /// <summary>The body as a worker sent it before there was a number.</summary>
    [Fact]
    public async Task Register_WorkerFromBeforeTheNumber_Is426WithWhatToDo()
    {
        var reply = await _farm.Worker.PostAsJsonAsync(
            "/worker/v1/register",
            new
            {
                name = "old",
                host = "h",
                version = "0.1",
                slots = Array.Empty<object>(),
                models = Array.Empty<object>(),
            }
        );
        var (status, code, _, message) = await reply.RefusalAsync();
        Assert.Equal((426, "protocol_too_old"), (status, code));
        Assert.Contains("version 0.1", message, StringComparison.Ordinal);
        Assert.Contains("speaks worker protocol 1", message, StringComparison.Ordinal);
        Assert.Contains("install version", message, StringComparison.Ordinal);
        Assert.Equal("false", reply.Headers.GetValues("x-should-retry").Single());
    }

    /// <summary>One that stores with keys of its own: APIs are brought to a new version before workers.</summary>
    [Fact]
    public async Task Register_WorkerOfTheProtocolBefore_IsServed()
    {
        var reply = await SendAsync(Request() with { Protocol = WorkerProtocol.Oldest });
        Assert.NotEmpty((await reply.ContractAsync<RegisterWorkerReply>()).WorkerId);
    }

    [Fact]
    public async Task Register_WorkerNewerThanTheApi_IsRefusedWithWhatToDo()
    {
        var reply = await SendAsync(Request() with { Protocol = WorkerProtocol.Current + 1 });
        var (status, code, param, message) = await reply.RefusalAsync();
        Assert.Equal((400, "invalid_value", "protocol"), (status, code, param));
        Assert.Contains("bring the API", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Register_CardThatCannotWork_IsRefusedByTheFieldUnlessItIsKeptFromWork()
    {
        var old = new SlotDescription
        {
            Id = "gpu0",
            Kind = SlotKind.Cuda,
            Card = "NVIDIA TITAN X",
            ComputeCapability = new(6, 1),
            TotalBytes = 12L << 30,
        };
        var (status, code, param, message) = await (await SendAsync(Request() with { Slots = [old] })).RefusalAsync();
        Assert.Equal((400, "invalid_value", "slots[0].card"), (status, code, param));
        Assert.Contains("compute capability 6.1", message, StringComparison.Ordinal);

        var kept = old with { Quarantine = "too old" };
        await (await SendAsync(Request() with { Slots = [kept] })).ContractAsync<RegisterWorkerReply>();
    }

    [Theory]
    [InlineData("", SimulatedWorker.Instance, "identity")]
    [InlineData("rack-1", SimulatedWorker.Instance, "identity")]
    [InlineData(SimulatedWorker.Instance, "", "instance")]
    public async Task Register_WithoutWhoItIs_IsRefusedByTheField(string identity, string instance, string field)
    {
        var reply = await SendAsync(Request() with { Identity = identity, Instance = instance });
        var (status, _, param, _) = await reply.RefusalAsync();
        Assert.Equal((400, field), (status, param));
    }

    [Fact]
    public async Task Register_CopyOfALiveWorker_Is409WithTheRemedyAndWhenToComeBack()
    {
        await SendAsync(Request());
        var reply = await SendAsync(Request() with { Instance = Other, Place = "elsewhere" });
        var (status, code, _, message) = await reply.RefusalAsync();
        Assert.Equal((409, "identity_in_use"), (status, code));
        Assert.Contains("delete the file 'identity'", message, StringComparison.Ordinal);
        Assert.InRange(reply.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 30);
    }

    [Fact]
    public async Task Workers_TwoLiveOnesOfOneName_AreBothShownWithAWarning()
    {
        var first = await (await SendAsync(Request())).ContractAsync<RegisterWorkerReply>();
        Assert.Null((await WorkersAsync()).Single()["warning"]);

        var second = await (await SendAsync(Request() with { Identity = Other })).ContractAsync<RegisterWorkerReply>();
        var shown = await WorkersAsync();

        Assert.Equal(
            new[] { first.WorkerId, second.WorkerId }.Order(StringComparer.Ordinal),
            shown.Select(worker => (string)worker["id"]!).Order(StringComparer.Ordinal)
        );
        Assert.All(shown, worker => Assert.Contains("named 'rack-1' too", (string)worker["warning"]!, StringComparison.Ordinal));
    }

    private const string Other = "0000000000000000000000000000000f";

    private static RegisterWorkerRequest Request() => TestFarm.Registration("rack-1");

    private Task<HttpResponseMessage> SendAsync(RegisterWorkerRequest request) =>
        _farm.Worker.PostContractAsync("/worker/v1/register", request);

    private async Task<List<System.Text.Json.Nodes.JsonNode>> WorkersAsync() =>
        [.. (await (await _farm.User.GetAsync("/v1/workers")).JsonAsync())["data"]!.AsArray().Select(worker => worker!)];
}
