using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RenderFarm.Api.Requests;

/// <summary>
/// What a record says of its members holds for the JSON it is read from: a member of its constructor that has no default must be there,
/// and no list has null where a thing must be. The serialiser by itself lets both pass, to be found by whoever uses the value.
/// </summary>
internal static class WholeValues
{
    public static void Require(JsonTypeInfo type)
    {
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object:
                foreach (var property in type.Properties.Where(IsNeeded))
                {
                    property.IsRequired = true;
                }

                break;
            case JsonTypeInfoKind.Enumerable when Holds(type.ElementType):
                type.OnDeserialized = list => RefuseNull((IEnumerable)list);
                break;
            case JsonTypeInfoKind.Dictionary when Holds(type.ElementType):
                type.OnDeserialized = map => RefuseNull(((IDictionary)map).Values);
                break;
        }
    }

    private static bool IsNeeded(JsonPropertyInfo property) =>
        property.AssociatedParameter is { HasDefaultValue: false, IsNullable: false };

    /// <summary>Of such elements null is no value.</summary>
    private static bool Holds(Type? element) => element is { IsValueType: false };

    private static void RefuseNull(IEnumerable values)
    {
        if (values.Cast<object?>().Contains(null))
        {
            throw new JsonException("holds null where a value must be");
        }
    }
}
