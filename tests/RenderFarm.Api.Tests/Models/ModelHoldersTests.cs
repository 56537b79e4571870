using System.Text.Json.Nodes;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Models;

/// <summary>Who has which model, what is missing where, and what waits for a model that nobody has.</summary>
public sealed class ModelHoldersTests : IAsyncLifetime
{
    private static readonly ModelFile Dit = new("transformer", "dit.safetensors", 100, ModelFileState.There);
    private static readonly ModelFile Vae = new("vae", "vae.safetensors", 10, ModelFileState.There);
    private TestFarm _farm = null!;

    public async ValueTask InitializeAsync() => _farm = await TestFarm.StartAsync();

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task Models_OneWorkerLacksAFile_ShowsWhoHasItWholeAndWhatIsMissingWhere()
    {
        await RegisterAsync("whole", Dit, Vae);
        await RegisterAsync("half", Dit, Vae with { SizeBytes = null, State = ModelFileState.Missing });

        var model = await ModelAsync();

        Assert.True((bool)model["available"]!);
        var workers = model["workers"]!.AsArray();
        Assert.Equal(["half", "whole"], workers.Select(worker => (string)worker!["name"]!));
        Assert.Equal(
            """[{"component":"vae","file":"vae.safetensors","state":"missing"}]""",
            workers[0]!["lacks"]!.ToJsonString()
        );
        Assert.Equal((100, 110), ((long)workers[0]!["size_bytes"]!, (long)workers[1]!["size_bytes"]!));
        Assert.Empty(workers[1]!["lacks"]!.AsArray());
    }

    [Fact]
    public async Task Models_NobodyHasItWhole_SaysSoOnTheVideoAndAmongTheWorkers()
    {
        await RegisterAsync("half", Dit, Vae with { SizeBytes = null, State = ModelFileState.Missing });
        Assert.Empty(await UnheldAsync());

        var video = await _farm.SubmitAsync();

        Assert.StartsWith("No worker that is connected has every file of model 'tiny'", (string)video["note"]!, StringComparison.Ordinal);
        Assert.False((bool)(await ModelAsync())["available"]!);
        Assert.Equal("""[{"model":"tiny","queued":1}]""", (await UnheldAsync()).ToJsonString());

        await RegisterAsync("whole", Dit, Vae);
        Assert.Empty(await UnheldAsync());
        await Eventually.TrueAsync(
            async () => (await (await _farm.User.GetAsync($"/v1/videos/{(string)video["id"]!}")).JsonAsync())["note"] is null,
            TimeSpan.FromSeconds(20),
            "the note to go, when what is known of models is looked up anew"
        );
    }

    [Fact]
    public async Task Models_WorkerThatDoesNotTellOfFiles_CountsAsWhole()
    {
        await RegisterAsync("silent");

        var model = await ModelAsync();

        Assert.True((bool)model["available"]!);
        Assert.Null(model["workers"]![0]!["size_bytes"]);
        Assert.Null((await _farm.SubmitAsync())["note"]);
    }

    private async Task<JsonNode> ModelAsync() =>
        (await (await _farm.User.GetAsync("/v1/models")).JsonAsync())["data"]!.AsArray().Single(model => (string)model!["id"]! == "tiny")!;

    private async Task<JsonArray> UnheldAsync() => (await (await _farm.User.GetAsync("/v1/workers")).JsonAsync())["unheld"]!.AsArray();

    private async Task RegisterAsync(string name, params ModelFile[] files)
    {
        var start = TestFarm.Registration(name);
        var reply = await _farm.Worker.PostContractAsync(
            "/worker/v1/register",
            start with
            {
                Models = [start.Models[0] with { Files = files }],
            }
        );
        await reply.ContractAsync<RegisterWorkerReply>();
    }
}
