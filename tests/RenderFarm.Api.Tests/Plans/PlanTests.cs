using System.Net.Http.Json;
using RenderFarm.Planning.Models;

namespace RenderFarm.Api.Tests.Plans;

public sealed class PlanTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private readonly TestFarm _farm = fixture.Farm;

    [Fact]
    public async Task Plan_APublishedModelOnACard_SaysWhatItTakesAndWhy()
    {
        var plan = await (
            await _farm.User.PostAsJsonAsync(
                "/v1/plans",
                new
                {
                    model = "t2v-1-3b",
                    vram_gib = 24,
                    gpu = "RTX 4090",
                }
            )
        ).JsonAsync();

        Assert.True((bool)plan["fits"]!);
        Assert.True((long)plan["plan"]!["predicted_peak_bytes"]! < 24L << 30);
        Assert.NotEmpty(plan["plan"]!["reasons"]!.AsArray());
        Assert.NotEmpty(plan["alternatives"]!.AsArray());
    }

    [Fact]
    public async Task Plan_AKnownCardByItsNameAlone_IsItsOwnSizeWithAndWithoutFp8()
    {
        var answer = await (
            await _farm.User.PostAsJsonAsync("/v1/plans", new { model = "t2v-14b", gpu = "RTX 4090", host_memory_gib = 64 })
        ).JsonAsync();

        Assert.Equal("fp8", (string)answer["plan"]!["precision"]!);
        Assert.True((double)answer["budget_gib"]! is > 23 and < 24);
        Assert.NotEqual("fp8", (string)answer["without_fp8"]!["plan"]!["precision"]!);
        Assert.Contains("64.0 GiB are there", answer["plan"]!["reasons"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_Quality_IsAnswered_AndAVideoShowsItsOwn()
    {
        var answer = await (
            await _farm.User.PostAsJsonAsync("/v1/plans", new { model = "t2v-14b", gpu = "RTX 4090", quality = "exact" })
        ).JsonAsync();
        Assert.Equal("bf16", (string)answer["plan"]!["precision"]!);

        Assert.Equal("fast", (string)(await _farm.SubmitAsync(new { prompt = "a ball", model = "tiny", quality = "fast" }))["quality"]!);
        Assert.Equal("balanced", (string)(await _farm.SubmitAsync(new { prompt = "a ball", model = "tiny" }))["quality"]!);
        var (status, _, param, message) = await (
            await _farm.User.PostAsJsonAsync("/v1/videos", new { prompt = "a", model = "tiny", quality = "best" })
        ).RefusalAsync();
        Assert.Equal((400, "quality"), (status, param));
        Assert.Contains("exact", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Tesla V100", "no bf16 units")]
    [InlineData("AMD Instinct MI300X", "not an NVIDIA card")]
    public async Task Plan_ACardThatCannotWork_IsRefusedInWords(string gpu, string why)
    {
        var answer = await (await _farm.User.PostAsJsonAsync("/v1/plans", new { model = "t2v-14b", gpu, vram_gib = 32 })).JsonAsync();

        Assert.False((bool)answer["fits"]!);
        Assert.Contains(why, (string)answer["refusal"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_ACardNobodyKnows_WantsItsMemory()
    {
        var (status, _, param, message) = await (
            await _farm.User.PostAsJsonAsync("/v1/plans", new { model = "tiny", gpu = "RTX 4095" })
        ).RefusalAsync();

        Assert.Equal((400, "vram_gib"), (status, param));
        Assert.Contains("'RTX 4095' is not in the table", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_ACardTooSmall_IsAnAnswerToo()
    {
        var plan = await (await _farm.User.PostAsJsonAsync("/v1/plans", new { model = "t2v-14b", vram_gib = 1 })).JsonAsync();

        Assert.False((bool)plan["fits"]!);
        Assert.NotEmpty((string)plan["refusal"]!["message"]!);
    }

    [Fact]
    public async Task Plan_ARegisteredWorker_IsAskedByName() =>
        Assert.True((bool)(await (await _farm.User.PostAsJsonAsync("/v1/plans", new { worker = "w1" })).JsonAsync())["fits"]!);

    [Fact]
    public async Task Plan_WithoutACard_NamesWhatIsMissing() =>
        Assert.Equal(
            (400, "vram_gib"),
            await (await _farm.User.PostAsJsonAsync("/v1/plans", new { model = "tiny" })).RefusalAsync() is var r
                ? (r.Status, r.Param)
                : default
        );

    [Fact]
    public async Task Plan_MisspeltField_IsToldBeforeTheOneThatIsMissingForIt() =>
        Assert.Equal(
            (400, "vram_gb"),
            await (await _farm.User.PostAsJsonAsync("/v1/plans", new { model = "tiny", vram_gb = 24 })).RefusalAsync() is var r
                ? (r.Status, r.Param)
                : default
        );

    [Fact]
    public async Task Submit_NoConnectedSlotTakesTheVideo_SaysSoInANote()
    {
        var small = await _farm.RegisterWorkerAsync("small", ModelShapes.Get("t2v-14b"));
        var waiting = await _farm.SubmitAsync(new { prompt = "a ball", model = "t2v-14b" });
        Assert.Matches(@"^No worker with model 't2v-14b' and a card of \d+ GiB or more takes jobs now", (string)waiting["note"]!);
        Assert.Null(waiting["eta_seconds"]);

        var served = await _farm.SubmitAsync(new { prompt = "a ball", model = "tiny" });
        Assert.Null(served["note"]);
        Assert.True((double)served["eta_seconds"]! > 0);
        await _farm.User.PostAsync(new Uri($"/v1/workers/{small}/drain", UriKind.Relative), null);
    }

    [Fact]
    public async Task Workers_DrainAndResume_ShowInTheirStatus()
    {
        var id = await _farm.RegisterWorkerAsync("drained");

        Assert.Equal("draining", (string)(await (await _farm.User.PostAsync($"/v1/workers/{id}/drain", null)).JsonAsync())["status"]!);
        Assert.Null(await _farm.LeaseAsync(id));
        Assert.Equal("live", (string)(await (await _farm.User.PostAsync($"/v1/workers/{id}/resume", null)).JsonAsync())["status"]!);
    }

    [Fact]
    public async Task Models_AreThoseThatWorkersRegistered()
    {
        var models = await (await _farm.User.GetAsync("/v1/models")).JsonAsync();

        var tiny = models["data"]!.AsArray().Single(model => (string)model!["id"]! == "tiny")!;
        Assert.True((bool)tiny["available"]!);
        Assert.Equal(64, (int)tiny["defaults"]!["width"]!);
    }

    [Fact]
    public async Task Keys_ARevokedOne_WorksNoMore()
    {
        var made = await (
            await _farm.User.PostAsJsonAsync("/v1/keys", new { name = "short-lived", scopes = new[] { "read" } })
        ).JsonAsync();
        var client = _farm.ClientWith((string)made["key"]!);
        Assert.Equal(200, (int)(await client.GetAsync("/v1/videos")).StatusCode);

        await _farm.User.DeleteAsync($"/v1/keys/{(string)made["id"]!}");

        var (status, code, _, _) = await (await client.GetAsync("/v1/videos")).RefusalAsync();
        Assert.Equal((401, "key_revoked"), (status, code));
        var listed = await (await _farm.User.GetAsync("/v1/keys")).Content.ReadAsStringAsync();
        Assert.DoesNotContain((string)made["key"]!, listed, StringComparison.Ordinal);
    }
}
