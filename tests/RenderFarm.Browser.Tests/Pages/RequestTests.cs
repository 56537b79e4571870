using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using RenderFarm.Contracts.Videos;
using RenderFarm.Dashboard.Calls;
using RenderFarm.Dashboard.Making;
using RenderFarm.Dashboard.Videos;

namespace RenderFarm.Browser.Tests.Pages;

/// <summary>What the page makes of its forms and addresses before it asks the farm.</summary>
public sealed class RequestTests
{
    [Theory]
    [InlineData("", 1)]
    [InlineData("1", 1)]
    [InlineData(" 7 ", 7)]
    [InlineData("10000", 10_000)]
    public void Videos_OfACount_AreSoMany(string count, int videos) => Assert.Equal(videos, Of(("count", count)).Videos);

    [Theory]
    [InlineData("0")]
    [InlineData("-4")]
    [InlineData("abc")]
    [InlineData("10001")]
    [InlineData("99999999999")]
    public void Videos_OfACountThatIsNone_AreRefusedAtTheField(string count)
    {
        var refused = Assert.Throws<FarmRefusalException>(() => Of(("count", count)).Videos);
        Assert.Equal("count", refused.Refusal.Param);
        Assert.Throws<FarmRefusalException>(() => Of(("count", count)).Batch(() => 1));
    }

    [Fact]
    public void Videos_OfEveryCombination_AreCountedWithoutOverflow()
    {
        var list = string.Join(',', Enumerable.Range(1, 100));
        Assert.Equal(200, Of(("steps", list), ("count", "2")).Videos);
        Assert.Equal(200, Of(("seed", list), ("fps", "8,16"), ("count", "2")).Videos);
        (string, string)[] far = [("steps", list), ("seed", list), ("fps", list), ("priority", list), ("shift", list)];
        Assert.Throws<FarmRefusalException>(() => Of(far).Videos);
    }

    [Theory]
    [InlineData("steps", "steps", true)]
    [InlineData("matrix.steps", "steps", true)]
    [InlineData("base.steps", "steps", true)]
    [InlineData("input_reference.image_url", "input_reference", true)]
    [InlineData("loras[0].name", "loras", true)]
    [InlineData("metadata", "tags", true)]
    [InlineData("metadata.sea", "tags", true)]
    [InlineData("steps", "step", false)]
    [InlineData(null, "steps", false)]
    public void Refusal_OfAParameter_StandsAtItsField(string? param, string field, bool here) =>
        Assert.Equal(here, new FarmRefusal(400, "invalid_value", "no", param).IsAt(field));

    [Fact]
    public void Refusal_OfABatch_StandsAtTheFieldOfItsFirstWrongLine()
    {
        var body = System.Text.Json.JsonDocument.Parse(
            """
            {"error": {"message": "2 of 4", "code": "invalid_value", "param": "file",
                "lines": [{"line": 2, "code": "x", "param": "steps", "message": "no"}]}}
            """
        );

        Assert.Equal("steps", FarmRefusal.Of(new FarmAnswer(400, body.RootElement)).Param);
    }

    [Fact]
    public void Filter_OfDays_AsksForTheirSeconds_TheLastDayIncluded()
    {
        var filter = FilterOf(("created_after", "2026-12-01"), ("created_before", "2026-12-01"), ("tag", "client=north"));

        Assert.Contains("created_after=1796083200&created_before=1796169600", filter.Operation, StringComparison.Ordinal);
        Assert.Contains("metadata%5Bclient%5D=north", filter.Operation, StringComparison.Ordinal);
        Assert.Contains("created_after=2026-12-01", filter.PageAfter(null), StringComparison.Ordinal);
    }

    [Fact]
    public void Filter_ThatSaysNothing_HasAnAddressWithoutAQuestion()
    {
        Assert.Equal("/videos", FilterOf().PageAfter(null));
        Assert.Equal("/videos?status=failed", FilterOf(("status", "failed"), ("stray", "1"), ("model", " ")).PageAfter(null));
    }

    [Fact]
    public void Limit_OfABatch_IsTheFarms() => Assert.Equal(10_000, VideoLimits.MostInBatch);

    private static Order Of(params (string Name, string Value)[] fields) => Order.Of(QueryOf(fields));

    private static VideoFilter FilterOf(params (string Name, string Value)[] fields) => VideoFilter.Of(QueryOf(fields));

    private static QueryCollection QueryOf((string Name, string Value)[] fields) =>
        new(fields.ToDictionary(field => field.Name, field => new StringValues(field.Value)));
}
