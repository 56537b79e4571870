using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace RenderFarm.Contracts.Words;

/// <summary>
/// Binds a setting that is one of an enum's <see cref="Word"/>s. It stands on the enum, for that is where the binder looks:
/// <c>[TypeConverter(typeof(SettingWordConverter&lt;BusKind&gt;))]</c>.
/// </summary>
public sealed class SettingWordConverter<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] TEnum>
    : TypeConverter, ISettingWords
    where TEnum : struct, Enum
{
    public IReadOnlyList<string> Words => Word.All<TEnum>();

    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string);

    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
        Word.Parse<TEnum>((string)value);

    public override bool IsValid(ITypeDescriptorContext? context, object? value) => Word.TryParse<TEnum>(value as string, out _);
}

/// <summary>The words that a setting can be.</summary>
public interface ISettingWords
{
    IReadOnlyList<string> Words { get; }
}
