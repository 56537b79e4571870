using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Wan.Tests.Loras;

/// <summary>Who says how much a pair counts, and in which order they are believed.</summary>
public sealed class AlphaSourcesTests
{
    private const string Module = "transformer.blocks.0.attn1.to_q";

    [Theory]
    [InlineData("lora_adapter_metadata", """{"transformer.lora_alpha": 6, "transformer.r": 4}""", 6)]
    [InlineData("lora_adapter_metadata", """{"lora_alpha": 6}""", 6)]
    [InlineData("lora_adapter_metadata", """{"transformer.lora_alpha": 6, "transformer.alpha_pattern": {"to_q": 3}}""", 3)]
    [InlineData(
        "lora_adapter_metadata",
        """{"transformer.lora_alpha": 6, "transformer.alpha_pattern": {"to_q": 3, "blocks.0.attn1.to_q": 5}}""",
        5
    )]
    [InlineData("lora_adapter_metadata", """{"transformer.lora_alpha": 6, "transformer.alpha_pattern": {"o_q": 3}}""", 6)]
    [InlineData("lora_adapter_metadata", """{"transformer_2.lora_alpha": 9, "transformer.lora_alpha": 6}""", 6)]
    [InlineData("lora_alpha", "2.5", 2.5)]
    [InlineData("transformer.lora_alpha", "2", 2)]
    [InlineData("network_alpha", "2", 2)]
    [InlineData("alpha", "1e1", 10)]
    [InlineData("ss_network_alpha", "16.0", 16)]
    public void For_OneSource_HasItsAlpha(string key, string text, double alpha)
    {
        var stated = Assert.Single(For(Module, (key, text)));

        Assert.Equal((alpha, key), (stated.Value, stated.Source));
        Assert.Equal(alpha / 4, stated.Over(4));
    }

    [Fact]
    public void For_SecondExpert_HasItsOwn() =>
        Assert.Equal(
            9,
            For(
                "transformer_2.blocks.0.attn1.to_q",
                ("lora_adapter_metadata", """{"transformer_2.lora_alpha": 9, "transformer.lora_alpha": 6}""")
            )[0].Value
        );

    [Fact]
    public void For_AllSources_AreInTheOrderOfBelief() =>
        Assert.Equal(
            ["lora_adapter_metadata", "lora_alpha", "ss_network_alpha"],
            For(
                Module,
                ("ss_network_alpha", "50"),
                ("lora_alpha", "100"),
                ("lora_adapter_metadata", """{"transformer.lora_alpha": 6}""")
            )
                .Select(stated => stated.Source)
        );

    [Fact]
    public void Over_RankStabilised_IsTheRoot() =>
        Assert.Equal(
            3,
            For(Module, ("lora_adapter_metadata", """{"transformer.lora_alpha": 6, "transformer.use_rslora": true}"""))[0].Over(4)
        );

    [Theory]
    [InlineData("ss_network_alpha", "None")]
    [InlineData("lora_alpha", "NaN")]
    [InlineData("alpha", "1e999")]
    [InlineData("lora_adapter_metadata", "[1]")]
    [InlineData("lora_adapter_metadata", "{")]
    [InlineData("lora_adapter_metadata", """{"transformer.lora_alpha": null}""")]
    public void For_NoFiniteNumber_CountsForNothingAndIsANote(string key, string text)
    {
        var notes = new List<string>();

        Assert.Empty(new AlphaSources(new Dictionary<string, string> { [key] = text }, notes.Add).For(Module));
        Assert.Contains(key.Split('_')[0], Assert.Single(notes), StringComparison.Ordinal);
    }

    private static List<StatedAlpha> For(string module, params (string Key, string Text)[] metadata) =>
        [
            .. new AlphaSources(
                metadata.ToDictionary(pair => pair.Key, pair => pair.Text),
                note => Assert.Fail(note)
            ).For(module),
        ];
}
