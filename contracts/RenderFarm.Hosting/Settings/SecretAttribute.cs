namespace RenderFarm.Hosting.Settings;

/// <summary>The setting is a secret, or may hold one: its value is shown to nobody.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;
