namespace RenderFarm.Hosting.Settings;

/// <summary>A setting that holds a password, or may: it is never shown.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;
