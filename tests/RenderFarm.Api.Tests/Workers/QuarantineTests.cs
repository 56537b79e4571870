using System.Net.Http.Json;
using System.Text.Json.Nodes;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Api.Tests.Workers;

/// <summary>Slots that take no jobs, as operators see them and end it, and as their worker hears of that.</summary>
public sealed class QuarantineTests : IAsyncLifetime
{
    private TestFarm _farm = null!;

    public async ValueTask InitializeAsync() => _farm = await TestFarm.StartAsync();

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task Workers_SlotInQuarantine_SaysWhySinceWhenAndByWhom()
    {
        var id = await _farm.RegisterWorkerAsync();
        Assert.Null((await SlotAsync(id))["quarantine"]);
        await RegisterAsync("Xid 48");

        var quarantine = (await SlotAsync(id))["quarantine"]!;

        Assert.Equal("""{"reason":"Xid 48","since":1764000000,"by":"worker"}""", quarantine.ToJsonString());
        await _farm.SubmitAsync();
        Assert.Null(await _farm.LeaseAsync(id));
    }

    [Fact]
    public async Task Resume_QuarantineOfTheWorker_IsOrderedWithItsNextRegistrations()
    {
        var id = await _farm.RegisterWorkerAsync();
        Assert.Empty((await RegisterAsync("Xid 48")).Slots);

        await (await _farm.User.PostAsJsonAsync($"/v1/workers/{id}/resume", new { slot = "cpu" })).JsonAsync();

        Assert.Equal([new SlotOrder("cpu", Resume: true)], (await RegisterAsync("Xid 48")).Slots);
        Assert.Empty((await RegisterAsync(null)).Slots);
        Assert.Null((await SlotAsync(id))["quarantine"]);
        await _farm.SubmitAsync();
        Assert.NotNull(await _farm.LeaseAsync(id));
    }

    [Fact]
    public async Task Resume_NothingSuchOrSenseless_IsRefusedByName()
    {
        var id = await _farm.RegisterWorkerAsync();
        Assert.Equal((404, "not_found"), await RefusedAsync($"/v1/workers/{id}/resume", new { slot = "gpu7" }));
        Assert.Equal((404, "not_found"), await RefusedAsync("/v1/workers/worker_none/resume", new { }));
        Assert.Equal((400, "unknown_parameter"), await RefusedAsync($"/v1/workers/{id}/resume", new { slots = "cpu" }));
        Assert.Equal((400, "invalid_value"), await RefusedAsync($"/v1/workers/{id}/resume", new { slot = 7 }));
    }

    private async Task<(int, string)> RefusedAsync(string path, object body)
    {
        var (status, code, _, _) = await (await _farm.User.PostAsJsonAsync(path, body)).RefusalAsync();
        return (status, code);
    }

    private async Task<JsonNode> SlotAsync(string worker) =>
        (await (await _farm.User.GetAsync($"/v1/workers/{worker}")).JsonAsync())["slots"]![0]!;

    /// <summary>The worker of <see cref="TestFarm.RegisterWorkerAsync"/>, as it finds its slot.</summary>
    private async Task<RegisterWorkerReply> RegisterAsync(string? quarantine)
    {
        var start = TestFarm.Registration();
        var slot = start.Slots[0] with { Quarantine = quarantine, QuarantinedAt = quarantine is null ? null : 1_764_000_000 };
        var reply = await _farm.Worker.PostContractAsync("/worker/v1/register", start with { Slots = [slot] });
        return await reply.ContractAsync<RegisterWorkerReply>();
    }
}
