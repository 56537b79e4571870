using System.Text.Json.Nodes;
using RenderFarm.Api.Requests;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Videos;

/// <summary>The body of <c>PATCH /v1/videos/{id}</c>.</summary>
internal static class EditReader
{
    public static JobEdit Read(JsonObject body)
    {
        var fields = new FieldReader(body);
        var edit = new JobEdit { Priority = (int?)fields.Whole("priority", 0, 100), Metadata = MetadataOf(fields, body["metadata"]) };
        fields.RefuseRest();
        return edit.Priority is null && edit.Metadata.Count == 0
            ? throw fields.Invalid("metadata", "is missing: say which pairs to set, or a priority")
            : edit;
    }

    /// <summary>As a merge patch has it: a string sets a pair, null removes one, and what is not named stays.</summary>
    private static IReadOnlyDictionary<string, string?> MetadataOf(FieldReader fields, JsonNode? node)
    {
        if (!fields.Has("metadata"))
        {
            return new Dictionary<string, string?>();
        }

        if (node is not JsonObject pairs)
        {
            throw fields.Invalid("metadata", "must be an object of strings");
        }

        // Its strings by the rules of a submission, its nulls beside them
        var set = new JsonObject(
            pairs.Where(pair => pair.Value is not null).Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone()))
        );
        var strings = new FieldReader(new JsonObject { ["metadata"] = set })
            .Strings("metadata", JobEdit.MostPairs, maxKey: 64, maxValue: 512)!;
        return pairs.ToDictionary(
            pair => pair.Key.Length <= 64 ? pair.Key : throw fields.Invalid("metadata", "has a key longer than 64 characters"),
            pair => strings.GetValueOrDefault(pair.Key)
        );
    }
}

internal sealed record EditFields
{
    /// <summary>Pairs to set; one whose value is null is removed, and what is not named stays.</summary>
    public IReadOnlyDictionary<string, string?>? Metadata { get; init; }
    public int? Priority { get; init; }
}
