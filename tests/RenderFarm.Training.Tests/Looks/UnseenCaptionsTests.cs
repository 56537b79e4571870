using RenderFarm.Testing.Farms;
using RenderFarm.Training.Clips;
using RenderFarm.Training.Text;

namespace RenderFarm.Training.Tests.Looks;

/// <summary>
/// The finished model is measured by a list of captions. It is only worth something when the trainer kept away from them.
/// </summary>
public sealed class UnseenCaptionsTests
{
    private static readonly string File = Path.Combine(BuiltPrograms.Root, "tests", "RenderFarm.Testing", "Clips", "unseen-captions.txt");

    [Fact]
    public void List_EveryCaption_IsAHeldOutCombinationAndComesOnce()
    {
        var captions = System.IO.File.ReadAllLines(File);
        var heldOut = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var shape in Enum.GetValues<ShapeKind>())
        {
            foreach (var motion in (Motion[])[Motion.Right, Motion.Left, Motion.Up, Motion.Down])
            {
                for (var color = 0; color < NamedColor.All.Count; color++)
                {
                    for (var ground = 0; ground < NamedColor.All.Count; ground++)
                    {
                        heldOut[Captions.Plain(new ObjectKind(shape, color, motion, SizeWord.None, SpeedWord.None), ground)] =
                            HeldOut.Contains(shape, color, motion, ground);
                    }
                }
            }
        }

        Assert.Equal(200, captions.Distinct().Count());
        Assert.All(captions, caption => Assert.True(heldOut[caption], caption));
    }

    [Fact]
    public void Questions_SameSeed_AreTheList() =>
        Assert.Equal(System.IO.File.ReadAllLines(File), HeldOutQuestions.Draw(200, seed: 2026).Select(question => question.Caption));
}
