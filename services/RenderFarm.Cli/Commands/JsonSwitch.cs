using System.CommandLine;
using System.Text.Json;

namespace RenderFarm.Cli.Commands;

/// <summary>
/// <c>--json</c>, for programs: what the farm answered, one object a line on standard output, and errors as objects on standard
/// error.
/// </summary>
internal static class JsonSwitch
{
    public static readonly Option<bool> Option = new("--json") { Description = "Print JSON, one object a line; errors too" };

    public static bool WantsJson(this ParseResult parsed) => parsed.GetValue(Option);

    public static string Line(JsonElement answer) => JsonSerializer.Serialize(answer, Http.FarmJson.Plain.JsonElement);
}
