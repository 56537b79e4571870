using RenderFarm.Api.Hosting;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Workers;

internal static class EnrolmentRegistration
{
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The settings don't say where invitations lead.</exception>
    public static void AddEnrolment(this IServiceCollection services, ApiOptions api, KeysOptions keys)
    {
        services.AddSingleton<FarmAddress>();
        if (keys.InvitationFile.Length == 0)
        {
            return;
        }

        if (api.PublicUrl.Length == 0)
        {
            throw SettingsFaults.At<ApiOptions>(
                nameof(ApiOptions.PublicUrl),
                "is not set: the invitations in Keys:InvitationFile have to lead to an address at which workers reach this API."
            );
        }

        services.AddLoop<InvitationKeeper>();
    }
}
