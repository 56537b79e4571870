using System.Globalization;

namespace RenderFarm.Worker.Children;

/// <summary>Memory of another process, as the kernel counts it.</summary>
internal static class ProcessMemory
{
    /// <summary>Memory of its own, without files and shared memory that it maps; 0 when there is no such process.</summary>
    public static long AnonymousBytes(int process)
    {
        const string Field = "RssAnon:";
        try
        {
            foreach (var line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/status")))
            {
                if (!line.StartsWith(Field, StringComparison.Ordinal))
                {
                    continue;
                }

                var kibibytes = line.AsSpan(Field.Length).Trim();
                return long.Parse(kibibytes[..kibibytes.IndexOf(' ')], CultureInfo.InvariantCulture) * 1024;
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile
        }

        return 0;
    }
}
