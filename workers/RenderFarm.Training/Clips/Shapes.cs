using static TorchSharp.torch;

namespace RenderFarm.Training.Clips;

/// <summary>Signed distances in pixels, negative inside; good near the edge, which is where they are looked at.</summary>
internal static class Shapes
{
    /// <param name="u">To the right, in the object's own frame.</param>
    /// <param name="v">Downwards.</param>
    /// <param name="radius">Of the circle around the shape.</param>
    public static Tensor Distance(ShapeKind kind, Tensor u, Tensor v, Tensor radius) =>
        kind switch
        {
            ShapeKind.Ball => Length(u, v) - radius,
            ShapeKind.Square => maximum(u.abs(), v.abs()) - radius * 0.82,
            ShapeKind.Triangle => maximum(u.abs() * (Math.Sqrt(3) / 2) - v * 0.5, v) - radius * 0.5,
            ShapeKind.Star => Star(u, v, radius),
            ShapeKind.Ring => (Length(u, v) - radius * 0.76).abs() - radius * 0.24,
            ShapeKind.Diamond => (u.abs() * 1.35 + v.abs() - radius) / Math.Sqrt(1 + 1.35 * 1.35),
            ShapeKind.Cross => minimum(
                maximum(u.abs() - radius * 0.30, v.abs() - radius * 0.95),
                maximum(u.abs() - radius * 0.95, v.abs() - radius * 0.30)
            ),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "is no shape"),
        };

    /// <summary>Light on the upper left of a ball, [0, 0.45].</summary>
    public static Tensor Shine(Tensor u, Tensor v, Tensor radius) =>
        (1 - Length(u + radius * 0.32, v + radius * 0.36) / (radius * 0.5)).clamp(0, 1) * 0.45;

    /// <summary>Five points. Folded to half of one, where the edge is a straight line from the tip to the notch.</summary>
    private static Tensor Star(Tensor u, Tensor v, Tensor radius)
    {
        const double Sector = 2 * Math.PI / 5;
        const double Notch = 0.45;
        var angle = atan2(u, -v); // 0 at the upper tip
        var folded = (angle - (angle / Sector).round() * Sector).abs();
        var length = Length(u, v);
        var (px, py) = (length * folded.cos(), length * folded.sin());
        var nx = Notch * Math.Sin(Sector / 2);
        var ny = 1 - Notch * Math.Cos(Sector / 2);
        var norm = Math.Sqrt(nx * nx + ny * ny);
        return (px - radius) * (nx / norm) + py * (ny / norm);
    }

    private static Tensor Length(Tensor u, Tensor v) => (u.square() + v.square()).sqrt();
}
