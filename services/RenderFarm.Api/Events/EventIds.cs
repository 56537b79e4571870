using System.Globalization;
using RenderFarm.Jobs.Events;

namespace RenderFarm.Api.Events;

/// <summary>What an event is called outside: the same wherever and however often it is told.</summary>
internal static class EventIds
{
    public static string Of(JobEvent told) => string.Create(CultureInfo.InvariantCulture, $"evt_{told.Position}");
}
