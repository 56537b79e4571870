namespace RenderFarm.Training.Clips;

/// <summary>
/// One combination in eight of shape, colour, motion and background colour is never trained on: what the finished model
/// is measured by.
/// </summary>
internal static class HeldOut
{
    public static bool Contains(ShapeKind shape, int color, Motion motion, int background)
    {
        var hash = 2166136261u;
        foreach (var part in (ReadOnlySpan<int>)[(int)shape, color, (int)motion, background])
        {
            hash = (hash ^ (uint)part) * 16777619u;
            hash ^= hash >> 15;
        }
        hash *= 2246822519u;
        return (hash >> 13) % 8 == 0;
    }

    public static bool Contains(ObjectKind kind, int background) => Contains(kind.Shape, kind.Color, kind.Motion, background);
}
