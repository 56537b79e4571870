using RenderFarm.Contracts.Plans;

namespace RenderFarm.Renderer.Calibration;

/// <summary>A part of a calibration, a few seconds long: what is measured of it is kept when the rest is broken off.</summary>
/// <param name="Measure">Puts its rates beside those of the pieces before it.</param>
internal sealed record RatePiece(string Name, Func<CardCalibration, CardCalibration> Measure);
