namespace RenderFarm.Hosting.Settings;

/// <summary>Options that come from a section of the settings: annotated properties, each with its default and what it does.</summary>
public interface ISettings
{
    /// <summary>The section's name, the first part of every key in it.</summary>
    static abstract string Section { get; }
}
