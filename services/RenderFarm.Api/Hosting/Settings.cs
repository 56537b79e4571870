using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace RenderFarm.Api.Hosting;

/// <summary>
/// Binds and checks a section before the host is built: some settings decide what is registered at all. A bad value
/// is an <see cref="OptionsValidationException"/> that names its key.
/// </summary>
internal static class Settings
{
    /// <summary>Reads the section, and registers it for everybody else.</summary>
    public static T AddSettings<T>(this WebApplicationBuilder builder, string section)
        where T : class, new()
    {
        var settings = Read<T>(builder.Configuration, section);
        builder.Services.AddSingleton(Options.Create(settings));
        return settings;
    }

    private static T Read<T>(IConfiguration configuration, string section)
        where T : class, new()
    {
        var settings = new T();
        try
        {
            configuration.GetSection(section).Bind(settings);
        }
        catch (InvalidOperationException e)
        {
            // The binder's message carries the key and the value.
            throw new OptionsValidationException(section, typeof(T), [e.Message]);
        }

        var faults = new List<ValidationResult>();
        if (!Validator.TryValidateObject(settings, new ValidationContext(settings), faults, validateAllProperties: true))
        {
            throw new OptionsValidationException(section, typeof(T), faults.Select(fault => fault.ErrorMessage!));
        }

        return settings;
    }
}
