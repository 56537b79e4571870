using System.ComponentModel;
using System.Text.Json.Serialization;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Hosting.Settings;

/// <summary><c>Artifacts:Kind</c>: where finished videos are kept.</summary>
[TypeConverter(typeof(SettingWordConverter<ArtifactsKind>))]
public enum ArtifactsKind
{
    [JsonStringEnumMemberName("directory")]
    Directory,

    [JsonStringEnumMemberName("s3")]
    S3,
}
