using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace RenderFarm.Hosting.Settings;

/// <summary>The one way from settings to options.</summary>
public static class SettingsRegistration
{
    /// <summary>
    /// Reads the section, checks it, and registers it as <see cref="IOptions{TOptions}"/>. What was checked is what everybody
    /// gets: it is not read again.
    /// </summary>
    /// <exception cref="OptionsValidationException">A value or a key is wrong; each fault is a line that begins with its key.</exception>
    [RequiresUnreferencedCode(SettingsKeys.Untrimmed)]
    public static TOptions AddSettings<TOptions, TValidator>(this IServiceCollection services, IConfiguration configuration)
        where TOptions : class, ISettings, new()
        where TValidator : class, IValidateOptions<TOptions>, new()
    {
        var settings = Read<TOptions, TValidator>(configuration);
        services.AddSingleton(Options.Create(settings));
        services.AddSingleton(SettingsInForce.Of(TOptions.Section, settings));
        return settings;
    }

    /// <summary>Reads the section and checks it.</summary>
    /// <exception cref="OptionsValidationException">A value or a key is wrong; each fault is a line that begins with its key.</exception>
    [RequiresUnreferencedCode(SettingsKeys.Untrimmed)]
    public static TOptions Read<TOptions, TValidator>(IConfiguration configuration)
        where TOptions : class, ISettings, new()
        where TValidator : class, IValidateOptions<TOptions>, new()
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var section = configuration.GetSection(TOptions.Section);
        string[] faults = [.. SettingsKeys.Faults(typeof(TOptions), section)];
        var settings = new TOptions();
        if (faults.Length == 0)
        {
            section.Bind(settings);
            var judged = new TValidator().Validate(Options.DefaultName, settings);
            faults = [.. (judged.Failures ?? []).Select(failure => SettingsFaults.Keyed(TOptions.Section, failure))];
        }

        return faults.Length == 0 ? settings : throw new OptionsValidationException(TOptions.Section, typeof(TOptions), faults);
    }
}
