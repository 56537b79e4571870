using RenderFarm.Dashboard.Calls;

namespace RenderFarm.Dashboard.Making;

/// <summary>Prompts to begin with, in words that the model at hand knows.</summary>
internal static class Tries
{
    /// <summary>It comes with the farm, and knows coloured shapes and simple motions alone.</summary>
    private const string Demo = "demo";

    /// <param name="models">Those that the farm has.</param>
    /// <param name="chosen">Null: whichever is at hand.</param>
    /// <returns>Names of texts.</returns>
    public static IReadOnlyList<string> Of(IReadOnlyList<ModelRecord> models, ModelRecord? chosen = null)
    {
        var hand = chosen ?? models.FirstOrDefault(model => model.Available && model.Id != Demo) ?? (models.Count > 0 ? models[0] : null);
        var family = hand?.Id == Demo ? "try.demo." : "try.";
        return [family + "1", family + "2", family + "3"];
    }
}
