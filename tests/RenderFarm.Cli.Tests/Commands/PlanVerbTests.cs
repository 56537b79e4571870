using System.Text.Json.Nodes;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary><c>plan</c>, here and asked of a server.</summary>
[Collection(nameof(VerbsUnderTest))]
public sealed class PlanVerbTests : VerbsUnderTest
{
    [Fact]
    public async Task Plan_Json_HasTheFiguresFirst_HereAndFromTheServer()
    {
        Assert.Equal(0, await RunAsync("plan", "--vram", "24", "--model", "t2v-14b", "--size", "832x480", "--frames", "81", "--json"));
        var here = JsonNode.Parse(Console.Output)!;
        Assert.All(
            (string[])
                [
                    "precision", "blocks_resident", "blocks_streamed", "predicted_peak_bytes", "predicted_seconds",
                    "fits", "reasons", "alternatives",
                ],
            name => Assert.NotNull(here[name])
        );

        var answer = new JsonObject
        {
            ["plan"] = here.DeepClone(),
            ["budget_gib"] = 23,
            ["refusal"] = null,
            ["alternatives"] = new JsonArray(here.DeepClone()),
        };
        await using var farm = new StubFarm((_, _) => (200, answer.ToJsonString()));
        var before = Console.Output.Length;
        Assert.Equal(0, await RunAsync(farm, "plan", "--server", "--vram", "24", "--model", "mine", "--json"));
        Assert.Equal((long)here["predicted_peak_bytes"]!, (long)JsonNode.Parse(Console.Output[before..])!["predicted_peak_bytes"]!);
        Assert.Equal("""{"model":"mine","vram_gib":24}""", farm.Requests.Single().Body);
    }

    [Theory]
    [InlineData("--size", "833x481", "multiples of 16")]
    [InlineData("--size", "100000x100000", "at most 921600 pixels")]
    [InlineData("--frames", "80", "4n+1")]
    [InlineData("--steps", "0", "from 1 to 100")]
    [InlineData("--size", "16400x16", "at most 16384 pixels")]
    [InlineData("--guidance", "21", "from 0 to 20")]
    [InlineData("--loras", "9", "from 0 to 8")]
    [InlineData("--quality", "best", "not one of: balanced, exact, fast")]
    [InlineData("--host-memory", "0", "not a number of GiB")]
    [InlineData("--step-cache", "deepcache", "not one of: teacache, magcache")]
    public async Task Plan_WhatNoFarmWouldRender_IsRefusedByName(string option, string value, string reason)
    {
        Assert.Equal(ExitCodes.Refused, await RunAsync("plan", option, value));
        Assert.Contains(option, Errors.ToString(), StringComparison.Ordinal);
        Assert.Contains(reason, Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_LorasAndStepCache_AreCountedHereAndAskedOfAServer()
    {
        Assert.Equal(0, await RunAsync("plan", "--vram", "12", "--loras", "2", "--step-cache", "magcache", "--json"));
        var here = JsonNode.Parse(Console.Output)!.AsObject();
        Assert.True((long)here["lora_bytes"]! > 1L << 30);
        Assert.True((long)here["step_cache_bytes"]! > 1L << 29);

        var answer = new JsonObject
        {
            ["plan"] = here,
            ["budget_gib"] = 12,
            ["refusal"] = null,
            ["alternatives"] = new JsonArray(),
        };
        await using var farm = new StubFarm((_, _) => (200, answer.ToJsonString()));
        Assert.Equal(0, await RunAsync(farm, "plan", "--server", "--vram", "12", "--loras", "1", "--step-cache", "teacache", "--json"));
        Assert.Equal(
            """{"model":"t2v-14b","vram_gib":12,"loras":[{"name":"lora-1"}],"step_cache":{"kind":"teacache"}}""",
            farm.Requests.Single().Body
        );
    }

    [Fact]
    public async Task Plan_KnownCard_IsItsOwnSizeWithAndWithoutFp8_HereAndFromTheServer()
    {
        Assert.Equal(0, await RunAsync("plan", "--card", "RTX 4090", "--host-memory", "48"));
        var text = Console.Output;
        Assert.Contains("RTX 4090, 24 GiB, with fp8 products", text, StringComparison.Ordinal);
        Assert.Contains("RTX 4090, 24 GiB, without fp8 products", text, StringComparison.Ordinal);
        Assert.Contains("48.0 GiB are there", text, StringComparison.Ordinal);
        Assert.Contains("Rates are estimated for RTX 4090 from its maker's sheet.", text, StringComparison.Ordinal);

        var answer = new JsonObject
        {
            ["plan"] = null,
            ["budget_gib"] = 23.5,
            ["refusal"] = new JsonObject { ["message"] = "too small", ["least_peak_bytes"] = null, ["field"] = null },
            ["alternatives"] = new JsonArray(),
        };
        answer["without_fp8"] = answer.DeepClone();
        await using var farm = new StubFarm((_, _) => (200, answer.ToJsonString()));
        var before = Console.Output.Length;
        await RunAsync(farm, "plan", "--server", "--card", "RTX 4090", "--host-memory", "48", "--json");
        Assert.Equal("""{"model":"t2v-14b","gpu":"RTX 4090","host_memory_gib":48}""", farm.Requests.Single().Body);
        Assert.Equal(
            [true, false],
            Console.Output[before..].TrimEnd().Split('\n').Select(line => (bool)JsonNode.Parse(line)!["fp8_products"]!)
        );
    }

    [Fact]
    public async Task Plan_Quality_ChoosesHereAndIsAskedOfAServer()
    {
        Assert.Equal(0, await RunAsync("plan", "--card", "RTX 4090", "--vram", "24", "--quality", "exact", "--json"));
        Assert.Equal("bf16", (string)JsonNode.Parse(Console.Output.Split('\n')[0])!["precision"]!);

        await using var farm = new StubFarm((_, _) => (200, """{"plan":null,"budget_gib":1,"refusal":null,"alternatives":[]}"""));
        await RunAsync(farm, "plan", "--server", "--vram", "24", "--quality", "fast", "--json");
        Assert.Equal("""{"model":"t2v-14b","vram_gib":24,"quality":"fast"}""", farm.Requests.Single().Body);
    }

    [Fact]
    public async Task Plan_CardNobodyKnows_WantsItsMemory_AndOneThatCannotWorkIsRefusedInWords()
    {
        Assert.Equal(ExitCodes.Refused, await RunAsync("plan", "--card", "RTX 4095"));
        Assert.Contains("--vram", Errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, await RunAsync("plan", "--card", "RTX 4095", "--vram", "24"));
        Assert.Contains("planned below the slowest of Ada", Console.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Failure, await RunAsync("plan", "--card", "Tesla T4"));
        Assert.Contains("no bf16 units", Console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_ForAllCards_IsALineEach_AndOneThatFitsNoneIsAFailure()
    {
        Assert.Equal(0, await RunAsync("plan", "--vram", "all", "--json"));
        Assert.Equal(
            [6, 8, 12, 16, 24, 32, 48, 80],
            Console.Output.TrimEnd().Split('\n').Select(line => (int)JsonNode.Parse(line)!["vram_gib"]!)
        );

        var before = Console.Output.Length;
        Assert.Equal(ExitCodes.Failure, await RunAsync("plan", "--vram", "1", "--json"));
        Assert.False((bool)JsonNode.Parse(Console.Output[before..])!["fits"]!);
        Assert.Equal(ExitCodes.Refused, await RunAsync("plan", "--vram", "lots"));
    }
}
