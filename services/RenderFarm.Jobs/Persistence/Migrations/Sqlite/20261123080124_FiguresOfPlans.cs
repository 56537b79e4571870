using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RenderFarm.Jobs.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class FiguresOfPlans : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "driver",
                table: "lease_records",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "geometry",
                table: "lease_records",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "plan_kind",
                table: "lease_records",
                type: "TEXT",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "driver",
                table: "lease_records");

            migrationBuilder.DropColumn(
                name: "geometry",
                table: "lease_records");

            migrationBuilder.DropColumn(
                name: "plan_kind",
                table: "lease_records");
        }
    }
}
