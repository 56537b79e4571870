namespace RenderFarm.Worker.Slots;

/// <summary>What a host shows of an NVIDIA card without a driver's word: device files, and the list of what is plugged in.</summary>
internal static class CardSigns
{
    private const string Plugged = "sys/bus/pci/devices";
    private const string Maker = "0x10de";
    private const string ClassOfDisplays = "0x03";

    /// <summary>Linux' own, and Windows' in its Linux.</summary>
    private static readonly string[] DeviceFiles = ["dev/nvidia0", "dev/dxg"];

    /// <summary>In words; null where there is none.</summary>
    /// <param name="root">Of the file system.</param>
    public static string? Find(string root = "/")
    {
        if (DeviceFiles.FirstOrDefault(file => File.Exists(Path.Combine(root, file))) is { } device)
        {
            return $"/{device} is there";
        }

        var plugged = Path.Combine(root, Plugged);
        try
        {
            return Directory.Exists(plugged) && Directory.EnumerateDirectories(plugged).FirstOrDefault(IsCard) is { } card
                ? $"an NVIDIA card is plugged in ({Path.GetFileName(card)})"
                : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null; // A sandbox that doesn't show what is plugged in
        }
    }

    private static bool IsCard(string device) => Says(device, "vendor", Maker) && Says(device, "class", ClassOfDisplays);

    private static bool Says(string device, string file, string start) =>
        File.ReadAllText(Path.Combine(device, file)).StartsWith(start, StringComparison.OrdinalIgnoreCase);
}
