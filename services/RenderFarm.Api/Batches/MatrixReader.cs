using System.Text;
using System.Text.Json.Nodes;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Requests;

namespace RenderFarm.Api.Batches;

/// <summary>
/// <c>{"matrix": {"prompt": […], "seed": […]}, "base": {…}}</c>: one video for each combination of the lists' values, over
/// the fields of <c>base</c>. The last list turns fastest; the numbers of the combinations take the place of line numbers.
/// </summary>
internal static class MatrixReader
{
    public static IEnumerable<BatchLine> Read(FieldReader fields, JsonObject body)
    {
        var known = fields.Object("matrix") is not null;
        fields.Object("base");
        fields.RefuseRest();
        if (!known)
        {
            throw fields.Invalid(
                "matrix",
                "is required in a JSON body; JSON Lines come as Content-Type application/jsonl, or as the part 'file' of "
                    + "multipart/form-data"
            );
        }

        var axes = AxesOf(fields, Parsed(body["matrix"]!));
        var shared = body["base"] is { } node ? Parsed(node) : [];
        if (axes.FirstOrDefault(axis => shared.ContainsKey(axis.Name)) is { } twice)
        {
            throw ApiError.InvalidValue($"base.{twice.Name}", $"'{twice.Name}' is given both in 'base' and in 'matrix'.").AsException();
        }

        var count = axes.Aggregate(1L, (product, axis) => Math.Min(product * axis.Values.Count, int.MaxValue));
        return count <= BatchReader.MaxLines
            ? Combinations(axes, shared, (int)count)
            : throw fields.Invalid("matrix", $"has {count} combinations; at most {BatchReader.MaxLines} are accepted");
    }

    private static List<Axis> AxesOf(FieldReader fields, JsonObject matrix)
    {
        var axes = new List<Axis>();
        foreach (var (name, values) in matrix)
        {
            axes.Add(
                values is JsonArray { Count: > 0 } list
                    ? new Axis(name, list)
                    : throw ApiError
                        .InvalidValue($"matrix.{name}", $"'matrix.{name}' must be a list of values, with at least one.")
                        .AsException()
            );
        }

        return axes.Count > 0 ? axes : throw fields.Invalid("matrix", "must name at least one field with a list of values");
    }

    private static IEnumerable<BatchLine> Combinations(
        List<Axis> axes,
        JsonObject shared,
        int count
    )
    {
        for (var number = 0; number < count; number++)
        {
            var request = (JsonObject)shared.DeepClone();
            var rest = number;
            foreach (var axis in Enumerable.Reverse(axes))
            {
                request[axis.Name] = Own(axis.Values[rest % axis.Values.Count]);
                rest /= axis.Values.Count;
            }

            yield return new BatchLine(number + 1, () => new RequestBody(request, []));
        }
    }

    /// <summary>A value for one request.</summary>
    private static JsonNode? Own(JsonNode? value) =>
        value is JsonValue one && one.TryGetValue<StoredText>(out var text) ? JsonValue.Create(text.Read()) : value?.DeepClone();

    /// <summary>In a multipart body a nested object is its text.</summary>
    private static JsonObject Parsed(JsonNode node) =>
        node as JsonObject ?? (JsonObject)JsonBody.ReadField(Encoding.UTF8.GetBytes(node.GetValue<string>()), "matrix")!;

    private sealed record Axis(string Name, JsonArray Values);
}
