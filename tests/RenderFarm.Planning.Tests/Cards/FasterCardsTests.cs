using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning.Tests.Cards;

/// <summary>Over the whole table: a card that no figure of its sheet puts behind another is not planned slower than that one.</summary>
public sealed class FasterCardsTests
{
    [Theory]
    [InlineData("t2v-14b", 832, 480, 81)]
    [InlineData("t2v-14b", 1280, 720, 81)]
    [InlineData("t2v-14b", 480, 272, 17)]
    [InlineData("t2v-1-3b", 832, 480, 81)]
    [InlineData("t2v-a14b", 1280, 720, 81)]
    [InlineData("ti2v-5b", 1280, 704, 121)]
    public void Plan_FasterCard_IsNeverSlower(string model, int width, int height, int frames)
    {
        var request = PlanRequest.DefaultOf(ModelShapes.Get(model)) with { Width = width, Height = height, Frames = frames };
        var cards = CardSheets
            .All.Where(sheet => sheet.Bf16 is not null)
            .Select(sheet => (Sheet: sheet, Planner.Plan(request, AskedCard.Find(sheet.Name, null, null)!).Plan))
            .ToList();
        var pairs = 0;
        foreach (var (fast, faster) in cards)
        {
            foreach (var (slow, slower) in cards.Where(other => other.Plan is not null && fast.IsFasterThan(other.Sheet)))
            {
                pairs++;
                Assert.NotNull(faster);
                Assert.True(
                    faster.PredictedSeconds <= slower!.PredictedSeconds,
                    $"{fast.Name}: {faster.PredictedSeconds} s; {slow.Name}: {slower.PredictedSeconds} s"
                );
            }
        }

        Assert.True(pairs > 1000, $"{pairs} pairs");
    }
}
