namespace RenderFarm.Worker.Calibration;

/// <summary>The renderer could not look at a device, or measure it.</summary>
internal sealed class DeviceTrialException(string message) : Exception(message);
